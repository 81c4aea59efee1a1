/**
 * The only way out: everything the console asks of the server goes through here.
 * api.GET/POST/... is typed by the server's own description; call() is for routes
 * that are not in the committed description yet.
 */
import createClient from "openapi-fetch";
import { connected, connection, readClock } from "./connection";
import { takeEarly } from "./early";
import { asProblem, Problem, problemOf } from "./problem";
import type { paths } from "./schema";
import { confirmItIsYou, signInAgain } from "./session";

const OPEN = /^\/api\/v1\/auth\//;

/** fetch with our manners: times measured, sign-in again where it ran out, problems as Problem. */
async function send(request: Request, quiet = false): Promise<Response> {
  const again = request.clone();
  const url = new URL(request.url);
  const early = takeEarly(request.method, url.pathname + url.search);
  const sent = early?.sent ?? Date.now();
  let response: Response;
  try {
    response = await (early?.answer ?? fetch(request));
  } catch (error) {
    if (request.signal.aborted) throw error;
    connected({ down: true });
    throw new Problem(0);
  }
  readClock(response.headers.get("Date"), sent, Date.now());
  // A gateway that finds nobody behind it is the same as nobody answering.
  const down = response.status === 502 || response.status === 504;
  if (connection.get().down !== down) connected({ down });
  const path = url.pathname;
  if (response.status === 401 && !quiet && !OPEN.test(path)) {
    if (await signInAgain()) return send(again, true);
  }
  if (response.status === 403 && !quiet) {
    const problem = await problemOf(response);
    if (problem.code === "confirm" && (await confirmItIsYou())) return send(again, true);
  }
  return response;
}

export const api = createClient<paths>({
  baseUrl: globalThis.location?.origin ?? "",
  fetch: (request) => send(request),
  querySerializer: { array: { style: "form", explode: false } },
});

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The value of an answer, or the Problem it is. */
export async function ask<T>(answer: Promise<Answer<T>>): Promise<T> {
  let got: Answer<T>;
  try {
    got = await answer;
  } catch (error) {
    throw asProblem(error);
  }
  if (!got.response.ok) {
    const body = got.error !== null && typeof got.error === "object" ? got.error : {};
    throw new Problem(got.response.status, body, Number(got.response.headers.get("Retry-After") ?? 0) || 0);
  }
  return got.data as T;
}

export interface CallOptions {
  query?: Record<string, string | number | boolean | undefined>;
  body?: unknown;
  /** The ETag the change is based on. */
  match?: string;
  /** Makes a repeated act count once; keyFor() gives one. */
  key?: string;
  signal?: AbortSignal;
  /** No sign-in over the page: the caller handles 401. */
  quiet?: boolean;
  /** Called with the cursor of the next page when the head of an answer names one, before its rows are here. */
  onNext?: (after: string) => void;
}

/** A request by hand: path without /api/v1. The answer is what the caller says it is. */
export async function call<T>(method: string, path: string, options: CallOptions = {}): Promise<T> {
  return (await callWithTag<T>(method, path, options)).value;
}

/** As call, with the ETag of what came. */
export async function callWithTag<T>(
  method: string,
  path: string,
  options: CallOptions = {},
): Promise<{ value: T; tag: string; response: Response }> {
  const url = new URL(`/api/v1${path}`, globalThis.location.origin);
  for (const [name, value] of Object.entries(options.query ?? {})) {
    if (value !== undefined && value !== "") url.searchParams.set(name, String(value));
  }
  const headers = new Headers({ Accept: "application/json" });
  if (options.body !== undefined) headers.set("Content-Type", "application/json");
  if (options.match) headers.set("If-Match", options.match);
  if (options.key) headers.set("Idempotency-Key", options.key);
  const response = await send(
    new Request(url, {
      method,
      headers,
      body: options.body === undefined ? undefined : JSON.stringify(options.body),
      signal: options.signal,
    }),
    options.quiet,
  );
  if (!response.ok) throw await problemOf(response);
  const next = options.onNext && /<([^>]*)>; rel="next"/.exec(response.headers.get("Link") ?? "")?.[1];
  if (next) options.onNext?.(new URL(next, url).searchParams.get("after") ?? "");
  const text = response.status === 204 ? "" : await response.text();
  let value: T;
  try {
    value = (text === "" ? undefined : JSON.parse(text)) as T;
  } catch {
    throw new Problem(0, { title: "the answer is no JSON" });
  }
  return { value, tag: response.headers.get("ETag") ?? "", response };
}

/** Fetches text or bytes that are no JSON: recordings, exports. Path without /api/v1. */
export async function download(
  path: string,
  query: CallOptions["query"] = {},
  signal?: AbortSignal,
): Promise<Response> {
  const url = new URL(`/api/v1${path}`, globalThis.location.origin);
  for (const [name, value] of Object.entries(query))
    if (value !== undefined && value !== "") url.searchParams.set(name, String(value));
  const response = await send(new Request(url, { signal }));
  if (!response.ok) throw await problemOf(response);
  return response;
}

/** Saves what a route sends as a file, as a link would: the browser shows the progress, the page stays. Path without /api/v1. */
export function saveAs(path: string, query: CallOptions["query"] = {}): void {
  const url = new URL(`/api/v1${path}`, globalThis.location.origin);
  for (const [name, value] of Object.entries(query))
    if (value !== undefined && value !== "") url.searchParams.set(name, String(value));
  const link = document.createElement("a");
  link.href = url.href;
  link.download = "";
  document.body.append(link);
  link.click();
  link.remove();
}

/** A key that makes one act count once, however often it is sent. */
export const keyFor = (): string => crypto.randomUUID();
