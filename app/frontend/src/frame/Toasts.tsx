import { words } from "../words";
import { dismiss, useToasts } from "./toasts";

export function Toasts() {
  return (
    <div className="toasts" aria-live="polite">
      {useToasts().map((toast) => (
        <div key={toast.id} className={`toast ${toast.kind}`} role={toast.kind === "bad" ? "alert" : "status"}>
          <span>{toast.text}</span>
          {toast.action && (
            <button
              type="button"
              className="plain"
              onClick={() => {
                toast.action?.run();
                dismiss(toast.id);
              }}
            >
              {toast.action.label}
            </button>
          )}
          <button type="button" className="plain" aria-label={words.frame.dismiss} onClick={() => dismiss(toast.id)}>
            ×
          </button>
        </div>
      ))}
    </div>
  );
}
