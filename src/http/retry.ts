import { decode, maxBodyBytes, maxErrorBytes, readBody, nestsTooDeep, unparsedNote } from "./body.js";
import { type Clock, sleep, type CallContext, type TokenProvider } from "./deadline.js";
import { redact, redactHeaders, redactStart, secretsOf } from "./redact.js";
import { checkStatus, invalidResponse, isTokenRejected, retryAfterSeconds, toConnectionError } from "./response.js";
import type { Logger } from "../logger.js";
import { check } from "../validate.js";

/**
 * A `fetch` as the client calls it: always with a URL and an init that has `Headers`. It is not `typeof fetch`, since some
 * platforms declare further properties there, which a caller's own function lacks.
 */
export type Fetch = (input: string, init: RequestInit & { headers: Headers }) => Promise<Response>;

/** A client's options, checked and with their defaults. */
export interface Settings {
  /** Base URL of the API, without a trailing slash. */
  readonly baseUrl: string;
  readonly timeoutMs: number;
  readonly maxRetries: number;
  /** Headers of every request. */
  readonly headers: Record<string, string>;
  readonly fetch: Fetch | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
}

/** The arguments of `fetch`, except for the signal. A body is a string or bytes, so that a retry needs no copy. */
export interface PreparedRequest {
  readonly input: string;
  readonly init: RequestInit & { headers: Headers };
}

/** The response that ends a request: it is not retried any more. */
export interface FinalResponse {
  /** A 2xx response whose body has been read; or a 4xx or 5xx response in memory, with secrets redacted. */
  readonly response: Response;
  /** The body of a 2xx response. */
  readonly bytes?: Uint8Array;
  /** The text of an error that nests too deeply to be parsed: the response holds `unparsedNote` in its place. */
  readonly unparsedText?: string | undefined;
}

/**
 * Sends a request, and retries it until its response is final.
 *
 * @throws {ConnectionError} without a complete response
 * @throws {InvalidResponseError} on a redirect: none is followed, since `fetch` would send the secret along
 */
export type Send = (
  request: PreparedRequest,
  call: CallContext,
  options: { tokenProvider?: TokenProvider; fetch?: Fetch | undefined; maxRetries?: number },
) => Promise<FinalResponse>;

/** Statuses after which a retry makes sense. */
export const retriedStatuses: ReadonlySet<number> = new Set([429, 502, 503, 504]);
const backoffBaseMs = 250;
const backoffCapMs = 8_000;
/** The window of the service's quotas: a longer `Retry-After` is not respected. */
export const retryAfterCapSeconds = 300;

export function createSend(client: Settings): Send {
  const { clock, random, log } = client;
  // Looked up at each call, so that patches and instrumentation that come later are seen.
  const clientFetch: Fetch = client.fetch ?? ((input, init) => globalThis.fetch(input, init));

  /** How long to wait before another attempt; `undefined`: there is none. */
  function retryDelayMs(response: Response | undefined, call: CallContext, maxRetries: number): number | undefined {
    if (call.attempts > maxRetries || (response && !retriedStatuses.has(response.status))) return undefined;
    const seconds = response && retryAfterSeconds(response.headers, clock);
    if (seconds !== undefined && seconds > retryAfterCapSeconds) return undefined;
    // Full jitter: clients that failed together must not come back together.
    const backoffMs = random() * Math.min(backoffCapMs, backoffBaseMs * 2 ** (call.attempts - 1));
    const delayMs = seconds === undefined ? backoffMs : seconds * 1000;
    return clock.monotonic() + delayMs < call.deadline ? delayMs : undefined;
  }

  return async function send({ input, init }, call, options) {
    const { tokenProvider, fetch = clientFetch, maxRetries = client.maxRetries } = options;
    call.headers = init.headers;
    for (;;) {
      call.signal.throwIfAborted();
      const given = tokenProvider?.token(call);
      const token = typeof given === "object" ? await given : given;
      call.signal.throwIfAborted();
      // New ones for each attempt: a caller's `fetch` may add its own, and must not find them again.
      const headers = new Headers(init.headers);
      if (token !== undefined) {
        headers.set("authorization", `Bearer ${token}`);
        call.secrets.push(token, ...(tokenProvider?.secrets ?? []));
      }

      call.attempts++;
      let response: Response | undefined;
      let body: Awaited<ReturnType<typeof readBody>> | undefined;
      try {
        // Next.js 14 would keep responses on disk otherwise, bank tokens too.
        const fixed = { headers, signal: call.signal, redirect: "manual", cache: "no-store" } as const;
        response = await fetch(input, { ...init, ...fixed });
        // A test double may leave them out.
        check((response as Partial<Response> | undefined)?.headers?.get, "fetch()", "a Response");
        if (response.ok && token !== undefined) tokenProvider?.onSuccess?.(token);
        body = await readBody(response, call, response.ok ? maxBodyBytes : maxErrorBytes);
        call.lastFailure = undefined;
      } catch (error) {
        call.signal.throwIfAborted();
        call.lastFailure = toConnectionError(error, call, new URL(input).host, response);
      }
      // A response that comes after the call's end begins neither a wait nor a renewal.
      call.signal.throwIfAborted();
      if (response?.ok && body) {
        if (body.isCut) throw invalidResponse("the response is longer than 1 MB", response, call);
        return { response, bytes: body.bytes };
      }

      const text = body && decode(body.bytes);
      // Without any retries, too, a call may try once more with another token.
      const mayTryAgain = call.attempts <= Math.max(1, maxRetries);
      if (token !== undefined && response?.status === 401 && isTokenRejected(text) && mayTryAgain) {
        if ((await tokenProvider?.onUnauthorized?.(token, call)) === "retry") continue;
      }
      // An incomplete response is a failure of the network, whatever its status.
      const delayMs = retryDelayMs(body && response, call, maxRetries);
      if (delayMs !== undefined) {
        const problem = body && response ? `status ${response.status}` : (call.lastFailure as Error).message;
        log.debug(`${init.method} ${new URL(input).pathname}: ${problem}; retry in ${Math.round(delayMs)} ms`);
        await sleep(clock, delayMs, call.signal);
        continue;
      }
      if (response === undefined || body === undefined || text === undefined) throw call.lastFailure;
      checkStatus(response, call);
      const secrets = secretsOf(call);
      const shown = body.isCut ? redactStart(text, secrets) : redact(text, secrets);
      // openapi-fetch parses the text of every error.
      const unparsedText = nestsTooDeep(shown) ? shown : undefined;
      const details = { status: response.status, headers: redactHeaders(response.headers, secrets) };
      // Without its reason phrase: nothing may depend on it (RFC 9112, section 4), and `Response` refuses some.
      return { response: new Response(unparsedText ? unparsedNote : shown, details), unparsedText };
    }
  };
}
