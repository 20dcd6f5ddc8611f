import createClient, { type Client, defaultBodySerializer } from "openapi-fetch";
import { ApiError, InvalidArgumentError } from "../errors.js";
import { checkFields, checkHeaderNames, checkHeaders, checkTimeout, type HeadersOption } from "../validate.js";
import { decode, readWhole } from "./body.js";
import { type CallContext, runCall, type TokenProvider } from "./deadline.js";
import { Carrier, CarrierRequest } from "./carrier.js";
import type { Clock } from "./clock.js";
import { guardJson, parseJson, unparsedNote } from "./json.js";
import { redactHeaders } from "./redact.js";
import { invalidResponse, retryAfterSeconds } from "./response.js";
import type { Fetch, PreparedRequest, Send } from "./retry.js";

/** Options of one call. */
export interface CallOptions {
  /** Ends the call; it then rejects with the signal's reason. */
  signal?: AbortSignal | null | undefined;
  /** Time that this call has, in milliseconds. Default: the client's. */
  timeoutMs?: number | undefined;
  /** Headers of this call, besides the client's. One that is `undefined` or `null` is left out. */
  headers?: HeadersOption | undefined;
}

/** What a right answer is. */
export interface Expected<T> {
  /** In words, for the error of an answer that is not right. */
  description: string;
  /** Tells a right answer by its JSON. */
  matches: (answer: unknown) => answer is T;
}

/** What an operation hands to openapi-fetch along with its own parameters and body. */
interface OperationInit {
  headers: Record<string, string>;
  bodySerializer: (body: unknown) => unknown;
  parseAs: "stream";
  Request: typeof Request;
  fetch: (request: Request) => Promise<Response>;
}

const methods = ["GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE", "request"] as const;

/**
 * Gives every call of openapi-fetch a deadline, authentication and retries, whatever the operation.
 *
 * @returns what performs an operation; and the openapi-fetch client for callers, who get `{ data, error, response }`
 */
export function createApi<Paths extends object>(connection: {
  baseUrl: string;
  headers: Record<string, string>;
  timeoutMs: number;
  clock: Clock;
  send: Send;
  tokenProvider: TokenProvider;
}) {
  const { baseUrl, headers, timeoutMs, clock, send, tokenProvider } = connection;
  const inner = createClient<Paths>({
    baseUrl,
    headers,
    Request: CarrierRequest,
    bodySerializer: (...args: Parameters<typeof defaultBodySerializer>) => serialize("body", ...args),
  });
  let hasMiddleware = false;

  function run<T>(limits: Pick<CallOptions, "signal" | "timeoutMs">, work: (call: CallContext) => Promise<T>) {
    const { signal, timeoutMs: callMs = timeoutMs } = limits;
    return runCall(clock, { timeoutMs: checkTimeout("timeoutMs", callMs), signal }, work);
  }

  /** Sends what openapi-fetch and its middleware have made of a call. */
  async function sendPrepared(prepared: PreparedRequest, call: CallContext, buffered: boolean): Promise<Response> {
    const { input, init } = prepared;
    // Neither a path nor a middleware may take the bank token elsewhere.
    if (!input.startsWith(`${baseUrl}/`)) throw new InvalidArgumentError("url", `a path under ${baseUrl}`);
    // Those of an operation were checked when they were taken.
    if (!buffered) return send(prepared, call, tokenProvider);
    checkHeaderNames(init.headers.keys() as Iterable<string>);
    const response = await send(prepared, call, tokenProvider);
    return response.ok ? buffer(response, call) : response;
  }

  /** Performs one operation, and rejects with one of the package's errors where there is no right answer. */
  async function perform<T>(
    operation: (client: Client<Paths>, init: OperationInit) => Promise<{ response: Response; error?: unknown }>,
    expected: Expected<T>,
    options: CallOptions = {},
  ): Promise<T> {
    checkFields("options", options, ["signal", "timeoutMs", "headers"]);
    const callHeaders = checkHeaders(options.headers);
    return run(options, async (call) => {
      const { response, error } = await operation(inner, {
        headers: callHeaders,
        // The service takes JSON, whatever a caller's header says.
        bodySerializer: (body) => serialize("request", body),
        // What openapi-fetch makes of an answer that is not JSON is a bare SyntaxError: it is read here instead.
        parseAs: "stream",
        Request: hasMiddleware ? Request : CarrierRequest,
        fetch: async (request) => sendPrepared(await takeApart(request, {}), call, !(request instanceof Carrier)),
      });
      if (!response.ok) {
        const [{ status }, { attempts }] = [response, call];
        // Redacted already, unless a middleware gave the answer.
        const headers = redactHeaders(response.headers, call.secrets);
        const details = { status, headers, attempts, retryAfterSeconds: retryAfterSeconds(headers, clock) };
        throw new ApiError(unparsed(error, call) ?? "", details);
      }
      const text = decode(await readWhole(response, call));
      const answer = parseJson(text);
      if (expected.matches(answer)) return answer;
      throw invalidResponse(`expected ${expected.description}`, response, call, text);
    });
  }

  /** A method of openapi-fetch for callers. Their options are passed on, except those that would bypass this client. */
  const wrap =
    (method: (typeof methods)[number]) =>
    async (...args: unknown[]) => {
      const last = method === "request" ? 2 : 1;
      const given = (args[last] ?? {}) as ApiInit;
      const { baseUrl: other, fetch, headers, parseAs = "json", signal, timeoutMs, ...init } = given;
      if (other !== undefined) throw new InvalidArgumentError("baseUrl", "none but the client's", "another");
      if (fetch !== undefined && typeof fetch !== "function") throw new InvalidArgumentError("fetch", "a function");
      const checked = checkHeaders(headers);
      return run({ signal, timeoutMs }, async (call) => {
        const answer = await (inner[method] as ApiMethod)(...args.slice(0, last), {
          ...init,
          // openapi-fetch reads no iterables, but leaves out a client's header where an object says null.
          headers: Symbol.iterator in Object(headers) ? checked : headers,
          // Parsed below: openapi-fetch's error for broken JSON shows the text.
          parseAs: parseAs === "json" ? "text" : parseAs,
          signal: call.signal,
          Request: hasMiddleware || init.middleware ? Request : CarrierRequest,
          fetch: async (request: Request) => {
            const prepared = await takeApart(request, init);
            const own = fetch && { fetch: (...sent: Parameters<Fetch>) => fetch(new Request(...sent)) };
            return sendPrepared({ ...prepared, ...own }, call, true);
          },
        });
        const { data: text, error, response } = answer;
        if (!response.ok) return { ...answer, error: unparsed(error, call) };
        if (parseAs !== "json") return answer;
        const data = text ? parseJson(text as string) : undefined;
        if (text && data === undefined) throw invalidResponse("expected JSON", response, call, text as string);
        return { ...answer, data };
      });
    };

  const api = {
    ...inner,
    ...Object.fromEntries(methods.map((method) => [method, wrap(method)])),
    use(...middleware) {
      hasMiddleware = true;
      inner.use(...middleware);
    },
  } as Client<Paths>;
  return { perform, api };
}

interface ApiInit extends Omit<RequestInit, "headers" | "signal">, CallOptions {
  fetch?: (request: Request) => Promise<Response>;
  baseUrl?: unknown;
  parseAs?: string;
  middleware?: unknown;
}
type ApiMethod = (...args: unknown[]) => Promise<{ data?: unknown; error?: unknown; response: Response }>;

/** An error's body, with the text that openapi-fetch was not given. */
function unparsed(error: unknown, call: CallContext): unknown {
  return error === unparsedNote ? call.unparsedText : error;
}

function serialize(field: string, ...args: Parameters<typeof defaultBodySerializer>): unknown {
  try {
    return defaultBodySerializer(...args);
  } catch {
    throw new InvalidArgumentError(field, "what JSON can hold: no cycles, no BigInt");
  }
}

/** Takes a request apart. Its body is read once: the first attempt would use up a stream. */
async function takeApart(request: Request, init: RequestInit): Promise<PreparedRequest> {
  if (request instanceof Carrier) {
    const { body } = request.init;
    if (body === undefined || typeof body === "string") return request;
    return takeApart(new Request(request.input, request.init), init);
  }
  // Not all platforms tell by `request.body` if there is one.
  const body = await request.arrayBuffer();
  const { url: input, method } = request;
  return {
    input,
    init: { ...init, method, headers: new Headers(request.headers), body: body.byteLength > 0 ? body : null },
  };
}

/** Reads an answer within the call's time, for openapi-fetch to parse whenever it comes to it. */
async function buffer(response: Response, call: CallContext): Promise<Response> {
  const bytes = await readWhole(response, call);
  const { status, headers } = response;
  // `Response` refuses a body, even an empty one, with some statuses.
  const isEmpty = bytes.length === 0 || status === 204 || status === 205;
  return guardJson(new Response(isEmpty ? null : (bytes as Uint8Array<ArrayBuffer>), { status, headers }));
}
