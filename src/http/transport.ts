import { ConnectionError, InvalidArgumentError, InvalidResponseError, TimeoutError } from "../errors.js";
import { redact, redactCause, redactHeaders } from "./redact.js";

/** Where time comes from. Nothing else here reads a clock or sets a timer. */
export interface Clock {
  /** Wall clock: milliseconds since 1970, for dates that others state (`exp`, `Retry-After`). */
  now(): number;
  /** Milliseconds that never go back, for lifetimes and deadlines. */
  monotonic(): number;
  /** Calls back once after `delayMs` milliseconds, unless the function that it returns is called before. */
  setTimeout(callback: () => void, delayMs: number): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout: (callback, delayMs) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Gives the bank token that a request is sent with. */
export interface TokenSource {
  /** What must never be shown, besides the tokens that it gives. */
  readonly secrets?: readonly string[];
  /** The token for one attempt of a call. */
  token(call: Call): string | Promise<string>;
  /** Told of each token that a request succeeded with. */
  accepted?(token: string): void;
  /** Replaces a token that was answered 401 `authentication_failed`; tells whether there is another one to try. */
  renew?(token: string): Promise<boolean>;
}

/** One call of the caller. */
export interface Call {
  /** Aborted when the call ends before its work is done. */
  readonly signal: AbortSignal;
  /** When the call's time is up, on the monotonic clock. */
  readonly deadline: number;
  /** What went out with this call and must never be shown. */
  readonly secrets: string[];
  /** How often a request was sent. */
  attempts: number;
  /** The failure that is being retried. */
  lastFailure?: unknown;
}

/**
 * Does the work of one call, but waits for it no longer than the call lasts: not even where a caller's own `fetch` or
 * token function takes no notice of a signal.
 *
 * @throws {TimeoutError} after `timeoutMs`; the reason of the caller's `signal` after its abort
 */
export async function runCall<T>(
  clock: Clock,
  options: { timeoutMs: number; signal?: AbortSignal | null | undefined; secrets?: string[] },
  work: (call: Call) => Promise<T>,
): Promise<T> {
  const { timeoutMs, signal, secrets = [] } = options;
  signal?.throwIfAborted();
  const controller = new AbortController();
  const call: Call = { signal: controller.signal, deadline: clock.monotonic() + timeoutMs, secrets, attempts: 0 };
  let end!: (reason: unknown) => void;
  let timedOut = false;
  const cancelTimer = clock.setTimeout(() => {
    timedOut = true;
    end(new DOMException("the call timed out", "TimeoutError"));
  }, timeoutMs);
  const onAbort = () => end(signal?.reason);
  signal?.addEventListener("abort", onAbort);
  try {
    return await new Promise<T>((resolve, reject) => {
      end = (reason) => {
        reject(reason);
        controller.abort(reason);
      };
      work(call).then(resolve, reject);
    });
  } catch (error) {
    // Made here and not in the timer, so that its stack leads to the caller.
    throw timedOut ? new TimeoutError(timeoutMs, { attempts: call.attempts, cause: call.lastFailure }) : error;
  } finally {
    cancelTimer();
    signal?.removeEventListener("abort", onAbort);
  }
}

/** What `new Headers(…)` takes. Node's own types have no global name for it. */
export type HeadersInit = NonNullable<RequestInit["headers"]>;

/** What `fetch` is called with, but for the signal; a body is a string or bytes, so that a retry needs no copy. */
export interface Outgoing {
  input: string;
  init: RequestInit & { headers: Headers };
}

/**
 * Sends a request until it is answered for good.
 *
 * @returns a 2xx answer unread, or a 4xx or 5xx answer whose text and headers have secrets struck out
 * @throws {ConnectionError} without a complete answer
 * @throws {InvalidResponseError} on a redirect: none is followed, since `fetch` would send the secret along
 */
export type Send = (outgoing: Outgoing, call: Call, source?: TokenSource) => Promise<Response>;

const retriedStatuses: ReadonlySet<number> = new Set([429, 502, 503, 504]);
const backoffBaseMs = 250;
const backoffCapMs = 8_000;
/** The window of the service's quotas: nothing that a gateway asks for is honoured beyond it. */
export const retryAfterCapSeconds = 300;

export function createSend(options: {
  fetch: typeof globalThis.fetch;
  maxRetries: number;
  clock: Clock;
  random: () => number;
}): Send {
  const { fetch, maxRetries, clock, random } = options;

  /** How long to wait before another attempt; `undefined`: there is none. */
  function retryDelayMs(response: Response | undefined, call: Call): number | undefined {
    if (call.attempts > maxRetries || (response && !retriedStatuses.has(response.status))) return undefined;
    const asked = response && retryAfterSeconds(response.headers, clock);
    if (asked !== undefined && asked > retryAfterCapSeconds) return undefined;
    // Full jitter: clients that failed together must not come back together.
    const backoffMs = random() * Math.min(backoffCapMs, backoffBaseMs * 2 ** (call.attempts - 1));
    const delayMs = asked === undefined ? backoffMs : asked * 1000;
    return clock.monotonic() + delayMs < call.deadline ? delayMs : undefined;
  }

  function sleep(delayMs: number, { signal }: Call): Promise<void> {
    return new Promise((resolve) => {
      const cancel = clock.setTimeout(resolve, delayMs);
      signal.addEventListener("abort", () => {
        cancel();
        resolve();
      });
    });
  }

  return async function send({ input, init }, call, source) {
    let renewed = false;
    for (;;) {
      call.signal.throwIfAborted();
      const given = source?.token(call);
      const token = typeof given === "object" ? await given : given;
      call.signal.throwIfAborted();
      if (token !== undefined) {
        init.headers.set("authorization", `Bearer ${token}`);
        call.secrets.push(token, ...(source?.secrets ?? []));
      }

      call.attempts++;
      let response: Response | undefined;
      let text: string | undefined;
      try {
        response = await fetch(input, { ...init, signal: call.signal, redirect: "manual" });
        if (response.ok) {
          if (token !== undefined) source?.accepted?.(token);
          return response;
        }
        text = await response.text();
        call.lastFailure = undefined;
      } catch (error) {
        call.signal.throwIfAborted();
        call.lastFailure = brokenOff(error, call, response);
      }
      // An answer that comes after the call's end begins neither a wait nor a renewal.
      call.signal.throwIfAborted();

      const isFirst401 = response?.status === 401 && token !== undefined && !renewed;
      if (isFirst401 && isStale(text) && call.attempts <= Math.max(1, maxRetries)) {
        renewed = (await source?.renew?.(token)) ?? false;
        if (renewed) continue;
      }
      const delayMs = retryDelayMs(response, call);
      if (delayMs !== undefined) {
        await sleep(delayMs, call);
        continue;
      }
      if (response === undefined || text === undefined) throw call.lastFailure;
      const { status } = response;
      // A browser shows a redirect as an opaque response of status 0.
      if (status < 400 || status > 599) {
        throw invalidResponse("expected an answer, got a redirect, which is not followed", response, call);
      }
      const headers = redactHeaders(response.headers, call.secrets);
      // Without its reason phrase: nothing may depend on it (RFC 9112, section 4), and `Response` refuses some.
      return new Response(redact(text, call.secrets), { status, headers });
    }
  };
}

/**
 * Reads an answer's body.
 *
 * @throws {ConnectionError} where it breaks off
 */
export async function readBody<T>(response: Response, call: Call, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw brokenOff(error, call, response);
  }
}

function brokenOff(error: unknown, call: Call, response?: Response): ConnectionError {
  const message = response ? `the answer (${response.status}) broke off` : "no answer";
  const cause = redactCause(error, call.secrets);
  // `fetch` says no more than that it failed; what failed is the innermost cause.
  let code: unknown;
  for (let link = cause; link instanceof Error; link = link.cause) code = (link as { code?: unknown }).code ?? code;
  const details = { attempts: call.attempts, cause };
  return new ConnectionError(code === undefined ? message : `${message} (${String(code)})`, details);
}

/** What is wrong with an answer, without its text. */
export function invalidResponse(problem: string, response: Response, call: Call, text?: string): InvalidResponseError {
  const { status } = response;
  const headers = redactHeaders(response.headers, call.secrets);
  return new InvalidResponseError(problem, {
    status,
    headers,
    ...(text !== undefined && { contentLength: text.length }),
  });
}

/** Whether a 401 is about the token's signature or expiry, which another token can mend (see the description's codes). */
function isStale(text: string | undefined): boolean {
  return (parseJson(text ?? "") as { message_code?: unknown } | undefined)?.message_code === "authentication_failed";
}

/** What secrets and tokens are made of (RFC 6749, appendix A: VSCHAR). */
export const printableAscii = /^[\x20-\x7e]+$/;

/** What a bank token may be made of, so that a header can hold it. */
export const visibleAscii = /^[\x21-\x7e]+$/;

/** @throws {InvalidArgumentError} for what is no time that a timer can wait: beyond it they run at once */
export function checkTimeout(field: string, timeoutMs: number): number {
  if (typeof timeoutMs === "number" && timeoutMs > 0 && timeoutMs < 2 ** 31) return timeoutMs;
  throw new InvalidArgumentError(field, "a number of milliseconds above 0 and below 2 ** 31");
}

/** @throws {InvalidArgumentError} for what is no object, or has other fields: what is misspelt would be passed over */
export function checkFields(name: string, value: object, fields: readonly string[]): void {
  if (typeof value !== "object" || value === null) throw new InvalidArgumentError(name, "an object");
  const other = Object.keys(value).find((field) => !fields.includes(field));
  if (other !== undefined) throw new InvalidArgumentError(other, `one of the options ${fields.join(", ")}`);
}

/** Parses JSON; `undefined` for what is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

// RFC 9110, section 5.6.7: the preferred form of a date and the two obsolete ones all begin with a day's name.
const httpDate = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)/;

/** Reads `Retry-After` (RFC 9110, section 10.2.3), seconds or a date, as seconds; `undefined` where it is neither. */
export function retryAfterSeconds(headers: Headers, clock: Clock): number | undefined {
  const value = headers.get("retry-after")?.trim() ?? "";
  if (/^\d+$/.test(value)) return Number(value);
  // The oldest form names no zone, and means UTC like the others.
  const dateMs = httpDate.test(value) ? Date.parse(value.endsWith("GMT") ? value : `${value} GMT`) : NaN;
  return Number.isNaN(dateMs) ? undefined : Math.max(0, Math.ceil((dateMs - clock.now()) / 1000));
}
