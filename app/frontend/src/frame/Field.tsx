import { useId, type ReactNode } from "react";

interface FieldProps {
  label: string;
  hint?: string;
  errors?: string[] | undefined;
  control: (ids: { id: string; "aria-describedby": string; "aria-invalid": boolean }) => ReactNode;
}

/** A control with its name, and what is to be known of it and is wrong with it. */
export function Field({ label, hint, errors, control }: FieldProps) {
  const id = useId();
  const wrong = errors !== undefined && errors.length > 0;
  return (
    <div className={wrong ? "field wrong" : "field"}>
      <label htmlFor={id}>{label}</label>
      <div id={`${id}-about`}>
        {hint && <p className="quiet">{hint}</p>}
        {wrong && <p className="error">{errors.join(" ")}</p>}
      </div>
      {control({ id, "aria-describedby": `${id}-about`, "aria-invalid": wrong })}
    </div>
  );
}
