import { decode, maxErrorBytes, readBody } from "./body.js";
import type { CallContext, TokenProvider } from "./deadline.js";
import { type Clock, sleep } from "./clock.js";
import { nestsTooDeep, unparsedNote } from "./json.js";
import { redact, redactHeaders, redactStart } from "./redact.js";
import { brokenOff, invalidResponse, isStale, retryAfterSeconds } from "./response.js";

/**
 * A `fetch` as the client calls it: always with a URL and an init that has `Headers`. It is not `typeof fetch`, since some
 * platforms declare further properties there, which a caller's own function lacks.
 */
export type Fetch = (input: string, init: RequestInit & { headers: Headers }) => Promise<Response>;

/** What `fetch` is called with, but for the signal; a body is a string or bytes, so that a retry needs no copy. */
export interface PreparedRequest {
  input: string;
  init: RequestInit & { headers: Headers };
  /** In place of the client's. */
  fetch?: Fetch;
  maxRetries?: number;
}

/**
 * Sends a request until it is answered for good.
 *
 * @returns a 2xx answer unread, or a 4xx or 5xx answer whose text and headers have secrets struck out
 * @throws {ConnectionError} without a complete answer
 * @throws {InvalidResponseError} on a redirect: none is followed, since `fetch` would send the secret along
 */
export type Send = (outgoing: PreparedRequest, call: CallContext, tokenProvider?: TokenProvider) => Promise<Response>;

/** Answers after which another try makes sense. */
export const retriedStatuses: ReadonlySet<number> = new Set([429, 502, 503, 504]);
const backoffBaseMs = 250;
const backoffCapMs = 8_000;
/** The window of the service's quotas: nothing that a gateway asks for is honoured beyond it. */
export const retryAfterCapSeconds = 300;

export function createSend(options: {
  fetch: Fetch | undefined;
  maxRetries: number;
  clock: Clock;
  random: () => number;
}): Send {
  const { clock, random } = options;
  // Looked up at each call, so that patches and instrumentation that come later are seen.
  const clientFetch: Fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init));

  /** How long to wait before another attempt; `undefined`: there is none. */
  function retryDelayMs(response: Response | undefined, call: CallContext, maxRetries: number): number | undefined {
    if (call.attempts > maxRetries || (response && !retriedStatuses.has(response.status))) return undefined;
    const asked = response && retryAfterSeconds(response.headers, clock);
    if (asked !== undefined && asked > retryAfterCapSeconds) return undefined;
    // Full jitter: clients that failed together must not come back together.
    const backoffMs = random() * Math.min(backoffCapMs, backoffBaseMs * 2 ** (call.attempts - 1));
    const delayMs = asked === undefined ? backoffMs : asked * 1000;
    return clock.monotonic() + delayMs < call.deadline ? delayMs : undefined;
  }

  return async function send(prepared, call, tokenProvider) {
    const { input, init, fetch = clientFetch, maxRetries = options.maxRetries } = prepared;
    for (;;) {
      call.signal.throwIfAborted();
      const given = tokenProvider?.token(call);
      const token = typeof given === "object" ? await given : given;
      call.signal.throwIfAborted();
      // New ones for each attempt: a caller's `fetch` may add its own, and must not find them again.
      const sentHeaders = new Headers(init.headers);
      if (token !== undefined) {
        sentHeaders.set("authorization", `Bearer ${token}`);
        call.secrets.push(token, ...(tokenProvider?.secrets ?? []));
      }

      call.attempts++;
      let response: Response | undefined;
      let text: string | undefined;
      let isCut = false;
      try {
        // Next.js 14 would keep answers on disk otherwise, bank tokens too.
        const fixed = { headers: sentHeaders, signal: call.signal, redirect: "manual", cache: "no-store" } as const;
        response = await fetch(input, { ...init, ...fixed });
        if (response.ok) {
          if (token !== undefined) tokenProvider?.onSuccess?.(token);
          return response;
        }
        const body = await readBody(response, call, maxErrorBytes);
        text = decode(body.bytes);
        isCut = body.isCut;
        call.lastFailure = undefined;
      } catch (error) {
        call.signal.throwIfAborted();
        call.lastFailure = brokenOff(error, call, response);
      }
      // An answer that comes after the call's end begins neither a wait nor a renewal.
      call.signal.throwIfAborted();

      // Without any retries, too, a call may try once more with another token.
      const mayTryAgain = call.attempts <= Math.max(1, maxRetries);
      if (token !== undefined && response?.status === 401 && isStale(text) && mayTryAgain) {
        if (await tokenProvider?.renew?.(token, call)) continue;
      }
      const delayMs = retryDelayMs(response, call, maxRetries);
      if (delayMs !== undefined) {
        await sleep(clock, delayMs, call.signal);
        continue;
      }
      if (response === undefined || text === undefined) throw call.lastFailure;
      const { status } = response;
      // A browser shows a redirect as an opaque response of status 0.
      if (status < 400 || status > 599) {
        const got = status < 400 ? "a redirect, which is not followed" : "a status that HTTP does not know";
        throw invalidResponse(`expected an answer, got ${got}`, response, call);
      }
      const shown = isCut ? redactStart(text, call.secrets) : redact(text, call.secrets);
      // openapi-fetch parses the text of every error.
      const isUnparsed = nestsTooDeep(shown);
      if (isUnparsed) call.unparsedText = shown;
      const headers = redactHeaders(response.headers, call.secrets);
      // Without its reason phrase: nothing may depend on it (RFC 9112, section 4), and `Response` refuses some.
      return new Response(isUnparsed ? unparsedNote : shown, { status, headers });
    }
  };
}
