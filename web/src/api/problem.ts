/** Errors as the API tells them (RFC 9457), and those of the way there. */
export interface ProblemBody {
  type?: string;
  title?: string;
  detail?: string;
  instance?: string;
  status?: number;
  errors?: { location?: string; message?: string }[];
}

/** Status 0: no answer came at all. */
export class Problem extends Error {
  readonly status: number;
  /** Last part of the type: "confirm", "conflict". */
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  /** Names the request in the server's log. */
  readonly request: string;
  readonly errors: { location: string; message: string }[];
  /** Seconds to wait, where the server said so. */
  readonly retryAfter: number;

  constructor(status: number, body: ProblemBody = {}, retryAfter = 0) {
    super(body.detail || body.title || `status ${status}`);
    this.name = "Problem";
    this.status = status;
    this.code = (body.type ?? "").split(":").pop() ?? "";
    this.title = body.title ?? "";
    this.detail = body.detail ?? "";
    this.request = body.instance ?? "";
    this.errors = (body.errors ?? []).map((item) => ({ location: item.location ?? "", message: item.message ?? "" }));
    this.retryAfter = retryAfter;
  }

  /** Nobody answered: the server is down or the network is. */
  get unreachable(): boolean {
    return this.status === 0 || this.status === 502 || this.status === 503 || this.status === 504;
  }

  /** Somebody else was faster: the thing is another than the one that was seen. */
  get conflict(): boolean {
    return this.status === 409 || this.status === 412;
  }
}

/** Makes a Problem of an answer that is none. */
export async function problemOf(response: Response): Promise<Problem> {
  let body: ProblemBody = {};
  try {
    const value: unknown = await response.clone().json();
    if (value !== null && typeof value === "object") body = value as ProblemBody;
  } catch {
    // A proxy in between answers with a page; its words are not ours to show.
  }
  return new Problem(response.status, body, Number(response.headers.get("Retry-After") ?? 0) || 0);
}

export const asProblem = (error: unknown): Problem =>
  error instanceof Problem ? error : new Problem(0, { detail: error instanceof Error ? error.message : "" });
