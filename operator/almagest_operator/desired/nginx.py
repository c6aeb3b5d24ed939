"""The nginx configurations: of the proxy, and of the sidecar that speaks FastCGI to WordPress."""

from __future__ import annotations

from urllib.parse import urlsplit

from almagest_operator.desired.endpoints import site_url
from almagest_operator.desired.graph import PORTS
from almagest_operator.desired.scope import Scope
from almagest_operator.model.exposure import ExposureType

PROXY_CONF = "nginx.conf"
HEALTH = "/health/proxy"
PHP_HEALTH = "/health/php"

# Everything that nginx writes goes to its emptyDir; the rest of the file system is read-only.
_HTTP = f"""\
worker_processes 1;
pid /var/cache/nginx/nginx.pid;
error_log stderr warn;
# Two connections a client: its own and one to a server behind.
worker_rlimit_nofile 16384;
events {{ worker_connections 8192; }}
http {{
  include /etc/nginx/mime.types;
  default_type application/octet-stream;
  access_log off;
  server_tokens off;
  # Redirects must not name the port of the pod.
  absolute_redirect off;
  sendfile on;
  tcp_nopush on;
  keepalive_timeout 65s;
  client_body_temp_path /var/cache/nginx/body;
  proxy_temp_path /var/cache/nginx/proxy;
  fastcgi_temp_path /var/cache/nginx/fastcgi;
  uwsgi_temp_path /var/cache/nginx/uwsgi;
  scgi_temp_path /var/cache/nginx/scgi;
%s
  server {{
    listen {PORTS["proxy"]} default_server;
    server_name _;
    location = {HEALTH} {{ default_type text/plain; return 200 "ok\\n"; }}
%s
  }}
}}
"""


def proxy(scope: Scope) -> str:
    """One host name for everything: `/cms/` is WordPress, the rest is the application.

    Requests are read whole before the application sees them, and the first megabytes of an answer are taken off its
    hands, so that a slow client holds no web process. What is larger is passed on as the client takes it: a TAP result
    may be larger than any disk.
    """
    spec = scope.archive.spec
    upstreams = _upstream("web", scope) + (_upstream("wordpress", scope) if spec.wordpress.enabled else "")
    # How users come is known; a header that says so could be anybody's.
    scheme = urlsplit(site_url(scope.archive, scope.facts)).scheme
    behind = _BEHIND_AN_INGRESS if spec.exposure.type is ExposureType.INGRESS else ""
    http = upstreams + behind + _SECRETS + _PROXY_HTTP.replace("@scheme@", scheme)
    cms = _CMS if spec.wordpress.enabled else ""
    return _HTTP % (http.rstrip("\n"), (cms + _APPLICATION).rstrip("\n"))


def wordpress() -> str:
    """FastCGI to PHP in the same pod, and the files of WordPress's own themes and uploads, below `/cms/`."""
    return _HTTP % (_WORDPRESS_HTTP.rstrip("\n"), _WORDPRESS.replace("@health@", PHP_HEALTH).rstrip("\n"))


def _upstream(component: str, scope: Scope) -> str:
    server = f"{scope.name(component)}:{PORTS[component]}"
    # One server, so a failure must not take it out of service for the seconds that nginx would rest it. Connections are
    # given up before the web server closes them, which would break off a request that may not be repeated.
    return f"  upstream {component} {{ server {server} max_fails=0; keepalive 64; keepalive_timeout 10s; }}\n"


_PROXY_HTTP = """\
  client_max_body_size 256m;
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  proxy_set_header Host $http_host;
  proxy_set_header X-Real-IP $remote_addr;
  proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
  proxy_set_header X-Forwarded-Host $http_host;
  proxy_set_header X-Forwarded-Proto @scheme@;
  proxy_set_header Authorization $authorization;
  proxy_set_header Cookie $cookies;
  proxy_connect_timeout 2s;
  proxy_read_timeout 600s;
  proxy_send_timeout 600s;
  proxy_buffer_size 16k;
  proxy_buffers 8 64k;
  proxy_busy_buffers_size 256k;
  proxy_max_temp_file_size 16m;
  # Clients of the Virtual Observatory read there which software answers.
  proxy_pass_header Server;
"""

# WordPress gets neither the credentials of the application nor its cookies: there are three, named almagest_*. So many
# are taken out; where more came, no cookie goes through.
_SECRETS = """\
  map $http_cookie $cookies_3 { default $http_cookie; "~^(?<a3>(?:.*; *)?)almagest_[^;]*(?:; *|$)(?<b3>.*)$" $a3$b3; }
  map $cookies_3 $cookies_2 { default $cookies_3; "~^(?<a2>(?:.*; *)?)almagest_[^;]*(?:; *|$)(?<b2>.*)$" $a2$b2; }
  map $cookies_2 $cookies_1 { default $cookies_2; "~^(?<a1>(?:.*; *)?)almagest_[^;]*(?:; *|$)(?<b1>.*)$" $a1$b1; }
  map $cookies_1 $cookies_0 { default $cookies_1; "~(^|;)\\s*almagest_" ""; }
  map $uri $cookies { default $http_cookie; ~^/cms/ $cookies_0; }
  map $uri $authorization { default $http_authorization; ~^/cms/ ""; }
"""

# Pods and balancers have private addresses, so the last public address is the visitor's; visitors may forge those
# before it. A router in front of the cluster may pass connections on without reading them.
_BEHIND_AN_INGRESS = """\
  set_real_ip_from 10.0.0.0/8;
  set_real_ip_from 100.64.0.0/10;
  set_real_ip_from 172.16.0.0/12;
  set_real_ip_from 192.168.0.0/16;
  set_real_ip_from fc00::/7;
  real_ip_header X-Forwarded-For;
  real_ip_recursive on;
"""

_CMS = """\
    location = /cms { return 301 /cms/; }
    location /cms/ {
      proxy_pass http://wordpress;
      error_page 502 504 = @away;
    }
"""

_APPLICATION = """\
    location / {
      proxy_pass http://web;
      error_page 502 504 = @away;
    }
    location @away {
      default_type text/plain;
      add_header Retry-After 10 always;
      return 503 "This part of the archive does not answer at this moment. Please try again soon.\\n";
    }
"""

_WORDPRESS_HTTP = """\
  client_max_body_size 256m;
  map $http_x_forwarded_proto $https_flag { https on; }
"""

# `root` ends where `/cms` begins, because the code is mounted for nginx at /srv/site/cms and for PHP at /srv/wordpress.
# While a dump is being loaded, WordPress's own installer would make any visitor the administrator.
_WORDPRESS = """\
    location = @health@ {
      include /etc/nginx/fastcgi_params;
      fastcgi_param SCRIPT_FILENAME $fastcgi_script_name;
      fastcgi_pass 127.0.0.1:9000;
    }
    root /srv/site;
    index index.php;
    location = /cms { return 301 /cms/; }
    location ~ ^/cms/wp-content/uploads/.*\\.php$ { return 403; }
    location ~ ^/cms/(wp-config\\.php|wp-admin/install\\.php|xmlrpc\\.php|readme\\.html|license\\.txt) { return 404; }
    location ~ /\\. { return 404; }
    location ~ ^/cms(?<script>/.+\\.php)$ {
      try_files $uri =404;
      include /etc/nginx/fastcgi_params;
      fastcgi_param SCRIPT_FILENAME /srv/wordpress$script;
      fastcgi_param DOCUMENT_ROOT /srv/wordpress;
      fastcgi_param HTTPS $https_flag if_not_empty;
      fastcgi_param HTTP_PROXY "";
      fastcgi_pass 127.0.0.1:9000;
      fastcgi_read_timeout 120s;
    }
    location /cms/ { try_files $uri $uri/ /cms/index.php?$args; }
"""
