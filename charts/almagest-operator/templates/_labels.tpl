{{- define "almagest.selector" -}}
app.kubernetes.io/name: operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "almagest.labels" -}}
{{ include "almagest.selector" . }}
app.kubernetes.io/component: operator
app.kubernetes.io/part-of: almagest
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end }}
