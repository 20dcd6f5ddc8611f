import type { Clock } from "./clock.js";
import type { CallContext } from "./deadline.js";
import { ConnectionError, InvalidArgumentError, InvalidResponseError } from "../errors.js";
import { parseJson } from "./json.js";
import { redactCause, redactHeaders } from "./redact.js";

/** Codes of undici for a request that it does not send. */
const refusalCodes = /^UND_ERR_(?:INVALID_ARG|NOT_SUPPORTED|REQ_CONTENT_LENGTH_MISMATCH)$/;

/**
 * Turns an error of `fetch`, or of reading a body, into one of this package's.
 *
 * @returns a ConnectionError: there was no answer, or it broke off
 * @throws {InvalidArgumentError} where the platform refuses to send such a request
 * @throws the error itself, where Next.js steers by it
 */
export function brokenOff(error: unknown, call: CallContext, response?: Response): ConnectionError {
  if (isSteering(error)) throw error;
  const cause = redactCause(error, call.secrets);
  // `fetch` says no more than that it failed; what failed is the innermost cause.
  let code: unknown;
  let said = "";
  for (let link = cause; link instanceof Error; link = link.cause) {
    code = (link as { code?: unknown }).code ?? code;
    said = link.message;
  }
  if (refusalCodes.test(String(code))) {
    // The same codes stand for what is wrong with a dispatcher, which a caller's own `fetch` brings.
    throw new InvalidArgumentError(said.includes("header") ? "headers" : "fetch", "what the platform can send", said);
  }
  const message = response ? `the answer (${response.status}) broke off` : "no answer";
  const details = { attempts: call.attempts, cause };
  return new ConnectionError(code === undefined ? message : `${message} (${String(code)})`, details);
}

/** Whether Next.js steers the rendering of a page by this error. Its `fetch` has then sent nothing. */
export function isSteering(error: unknown): boolean {
  return typeof (error as { digest?: unknown } | null | undefined)?.digest === "string";
}

/** What is wrong with an answer, without its text. */
export function invalidResponse(problem: string, response: Response, call: CallContext, text?: string) {
  const answer = { status: response.status, headers: redactHeaders(response.headers, call.secrets) };
  return new InvalidResponseError(problem, text === undefined ? answer : { ...answer, contentLength: text.length });
}

/** Whether a 401 is about the token's signature or expiry, which another token can mend (see the description's codes). */
export function isStale(text: string | undefined): boolean {
  return (parseJson(text ?? "") as { message_code?: unknown } | undefined)?.message_code === "authentication_failed";
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
