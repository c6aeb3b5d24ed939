import { useEffect, useEffectEvent } from "react";

/** A key of the site, for the list behind `?`. */
export interface Key {
  keys: string;
  does: string;
}

/** Whether an event's key is typed into a field: then it is text, not a command. */
export function typing(event: KeyboardEvent): boolean {
  const target = event.composedPath()[0];
  return target instanceof HTMLElement && (target.isContentEditable || /^(input|textarea|select)$/i.test(target.tagName));
}

/** The name of what is pressed: "Mod+Enter", "F8", "[", "?"; Mod is Ctrl, or ⌘ on a Mac. */
export function pressed(event: Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey">): string {
  return `${event.ctrlKey || event.metaKey ? "Mod+" : ""}${event.altKey ? "Alt+" : ""}${event.key}`;
}

/**
 * Call the handlers by the name of the pressed key, wherever the focus is; single characters not while typing.
 *
 * A handler that returns false leaves the key to others.
 */
export function useKeys(handlers: Partial<Record<string, () => unknown>>): void {
  const onKey = useEffectEvent((event: KeyboardEvent) => {
    const name = pressed(event);
    const handler = handlers[name];
    const isText = name.length === 1 && typing(event);
    if (handler && !event.defaultPrevented && !isText && handler() !== false) {
      event.preventDefault();
    }
  });
  useEffect(() => {
    const listener = (event: KeyboardEvent): void => onKey(event);
    window.addEventListener("keydown", listener);
    return () => window.removeEventListener("keydown", listener);
  }, []);
}
