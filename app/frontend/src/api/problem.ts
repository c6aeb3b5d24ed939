import type { Fix, Position } from "./types";

/** The body of an error (RFC 9457), as the API sends it. */
interface ProblemBody {
  title?: string;
  detail?: string;
  errors?: Record<string, string[]>;
  position?: Position | null;
  fix?: Fix | null;
}

/**
 * Why the server did not do what it was asked to; `detail` is written for the person who reads it.
 *
 * A status of 0 says that no answer came at all: offline, or the archive restarts.
 */
export class Problem extends Error {
  readonly status: number;
  readonly detail: string;
  readonly errors: Record<string, string[]>;
  readonly position: Position | null;
  readonly fix: Fix | null;
  /** Seconds after which it may be asked again, where the server said so. */
  readonly retryAfter: number | null;

  constructor(status: number, body: ProblemBody, retryAfter: number | null = null) {
    super(body.detail ?? body.title ?? `the archive answered with status ${status}`);
    this.name = "Problem";
    this.status = status;
    this.detail = this.message;
    this.errors = body.errors ?? {};
    this.position = body.position ?? null;
    this.fix = body.fix ?? null;
    this.retryAfter = retryAfter;
  }

  /** Whether the same request may succeed later: no answer, too many requests, a restart. */
  get transient(): boolean {
    return this.status === 0 || this.status === 429 || this.status === 502 || this.status === 503 || this.status === 504;
  }
}

/** The problem that an answer tells; answers of others than the API (a proxy, say) have no body that helps. */
export async function problemOf(response: Response): Promise<Problem> {
  const after = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
  let body: ProblemBody = {};
  if (/\bjson\b/.test(response.headers.get("Content-Type") ?? "")) {
    try {
      body = (await response.json()) as ProblemBody;
    } catch {
      // The status alone has to do.
    }
  }
  return new Problem(response.status, body, Number.isNaN(after) ? null : after);
}
