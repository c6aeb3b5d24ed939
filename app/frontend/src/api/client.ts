import { Problem, problemOf } from "./problem";

const BASE = "/api/v1";

export type Parameter = string | number | boolean | null | undefined;

/** The address of a route with its parameters; those without a value are left out. */
export function address(path: string, parameters: Record<string, Parameter> = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== null && value !== undefined && value !== "") {
      search.set(name, String(value));
    }
  }
  const text = search.toString();
  return `${BASE}${path}${text ? `?${text}` : ""}`;
}

/** The server's answer, whose status is one of success. Raises Problem; status 0 when no answer came. */
export async function request(url: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { credentials: "same-origin", ...init });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") {
      throw error;
    }
    throw new Problem(0, { detail: "The archive does not answer." });
  }
  if (!response.ok) {
    throw await problemOf(response);
  }
  return response;
}

export async function get<T>(url: string, signal?: AbortSignal): Promise<T> {
  const response = await request(url, { headers: { Accept: "application/json" }, ...(signal && { signal }) });
  return (await response.json()) as T;
}

/** Send a JSON body; null when the answer has none (204). */
export async function send<T>(method: "POST" | "PATCH" | "DELETE", url: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const response = await request(url, {
    method,
    headers: { Accept: "application/json", ...(body !== undefined && { "Content-Type": "application/json" }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    ...(signal && { signal }),
  });
  return (response.status === 204 ? null : await response.json()) as T;
}
