import type { Clock, CallContext } from "./deadline.js";
import { ConnectionError, InvalidArgumentError, InvalidResponseError } from "../errors.js";
import { parseJson } from "./body.js";
import { errorHeaders, redactCause, secretsOf } from "./redact.js";

/** Codes of undici for a request that it does not send. */
const refusalCodes = /UND_ERR_(?:INVALID_ARG|NOT_SUPPORTED|REQ_CONTENT_LENGTH_MISMATCH)/;

/**
 * Turns an error of `fetch`, or of reading a body, into one of this package's.
 *
 * @param host Where the request was sent
 * @returns a ConnectionError: there was no response, or an incomplete one
 * @throws {InvalidArgumentError} if the platform refuses to send such a request
 * @throws the error itself, if it is Next.js's control flow
 */
export function toConnectionError(error: unknown, call: CallContext, host: string, response?: Response) {
  if (isNextControlFlow(error) || error instanceof InvalidArgumentError) throw error;
  const cause = redactCause(error, secretsOf(call));
  // The error of `fetch` itself only says that it failed. The innermost cause says why.
  let code: unknown;
  let said = "";
  for (let link = cause; link instanceof Error; link = link.cause) {
    code = (link as { code?: unknown }).code ?? code;
    said = link.message || said;
  }
  // A proxy that wants a password has the same code as a request that cannot be sent.
  if (refusalCodes.test(String(code)) && !said.includes("407")) {
    // A dispatcher, which a caller's own `fetch` may bring, fails with the same codes.
    throw new InvalidArgumentError(said.includes("header") ? "headers" : "fetch", "what the platform can send", said);
  }
  const what = response
    ? `the connection to ${host} closed before the response (${response.status}) was complete`
    : `no answer from ${host}`;
  const why = String(code ?? said);
  return new ConnectionError(why ? `${what} (${why})` : what, { attempts: call.attempts, cause });
}

/** Whether Next.js controls the rendering of a page by this error. Its `fetch` has then sent nothing. */
export function isNextControlFlow(error: unknown): boolean {
  return typeof (error as { digest?: unknown } | null | undefined)?.digest === "string";
}

/** @throws {InvalidResponseError} for a status that is not an HTTP error */
export function checkStatus(response: Response, call: CallContext): void {
  const { status } = response;
  // A browser shows a redirect as an opaque response of status 0.
  if (status >= 400 && status < 600) return;
  const problem = status < 400 ? "redirects are not followed" : "a status that HTTP does not know";
  throw invalidResponse(problem, response, call);
}

/** An error that describes a wrong response, without its text. */
export function invalidResponse(problem: string, response: Response, call: CallContext, text?: string) {
  const headers = errorHeaders(response.headers, call);
  return new InvalidResponseError(problem, { status: response.status, headers, contentLength: text?.length });
}

/** Whether a 401 is about the token's signature or expiry, which another token can fix (see the description's codes). */
export function isTokenRejected(text: string | undefined): boolean {
  return (parseJson(text ?? "") as { message_code?: unknown } | undefined)?.message_code === "authentication_failed";
}

// RFC 9110, section 5.6.7: the preferred form of a date and the two obsolete ones all begin with a day's name.
const httpDate = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)/;

/** Reads a date of HTTP as milliseconds since 1970; `undefined` for anything else. */
export function httpDateMs(value: string | null): number | undefined {
  const text = value?.trim() ?? "";
  // The oldest form names no zone, and means UTC like the others.
  const dateMs = httpDate.test(text) ? Date.parse(text.endsWith("GMT") ? text : `${text} GMT`) : NaN;
  return Number.isNaN(dateMs) ? undefined : dateMs;
}

/**
 * Reads `Retry-After` (RFC 9110, section 10.2.3), seconds or a date, as seconds; `undefined` if it is neither. A date counts
 * from the response's own `Date`, so that a wrong clock here does no harm.
 */
export function retryAfterSeconds(headers: Headers, clock: Clock): number | undefined {
  const value = headers.get("retry-after")?.trim() ?? "";
  // A gateway may add one to the service's own: the longest wait counts.
  if (/^\d+(?:, *\d+)*$/.test(value)) return Math.max(...value.split(",").map(Number));
  const dateMs = httpDateMs(value);
  const sentMs = httpDateMs(headers.get("date")) ?? clock.now();
  return dateMs === undefined ? undefined : Math.max(0, Math.ceil((dateMs - sentMs) / 1000));
}
