import { useState } from "react";

/** State that this browser remembers under a name; what it kept may be anything, so it is looked at first. */
export function useKept<T>(name: string, initial: T, valid: (value: unknown) => value is T): [T, (value: T) => void] {
  const key = `almagest.${name}`;
  const [value, setValue] = useState<T>(() => {
    try {
      const kept: unknown = JSON.parse(localStorage.getItem(key) ?? "null");
      return valid(kept) ? kept : initial;
    } catch {
      return initial;
    }
  });
  function keep(changed: T): void {
    setValue(changed);
    try {
      localStorage.setItem(key, JSON.stringify(changed));
    } catch {
      // Not remembered, then.
    }
  }
  return [value, keep];
}

export const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);
export const isBoolean = (value: unknown): value is boolean => typeof value === "boolean";
