import createClient, { type Client, defaultBodySerializer, defaultPathSerializer } from "openapi-fetch";
import { ApiError, InvalidArgumentError } from "../errors.js";
import { checkFields, checkHeaderNames, checkHeaders, checkTimeout, type HeadersOption } from "../validate.js";
import { decode, maxBodyBytes, readBody } from "./body.js";
import { Carrier, CarrierRequest } from "./carrier.js";
import type { Clock } from "./clock.js";
import { type CallContext, runCall, type TokenProvider } from "./deadline.js";
import { guardJson, parseJson, unparsedNote } from "./json.js";
import { redactHeaders } from "./redact.js";
import { checkStatus, invalidResponse, retryAfterSeconds } from "./response.js";
import type { Answer, Fetch, PreparedRequest, Send } from "./retry.js";

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
 * @returns what calls an operation; and the openapi-fetch client for callers, who get `{ data, error, response }`
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
    pathSerializer: checked(defaultPathSerializer),
    bodySerializer: (...args: Parameters<typeof defaultBodySerializer>) => serialize("body", ...args),
  });
  let hasMiddleware = false;

  function run<T>(limits: Pick<CallOptions, "signal" | "timeoutMs">, work: (call: CallContext) => Promise<T>) {
    const { signal, timeoutMs: callMs = timeoutMs } = limits;
    return runCall(clock, { timeoutMs: checkTimeout("timeoutMs", callMs), signal }, work);
  }

  /** Sends what openapi-fetch and its middleware have made of a call. */
  async function sendPrepared(prepared: PreparedRequest, call: CallContext, fetch?: Fetch): Promise<Answer> {
    // Neither a path nor a middleware may take the bank token elsewhere.
    if (!prepared.input.startsWith(`${baseUrl}/`)) throw new InvalidArgumentError("url", `a path under ${baseUrl}`);
    return send(prepared, call, { tokenProvider, fetch });
  }

  /** Calls one operation, and rejects with one of the package's errors if there is no right answer. */
  async function callOperation<T>(
    operation: (client: Client<Paths>, init: OperationInit) => Promise<{ response: Response; error?: unknown }>,
    expected: Expected<T>,
    options: CallOptions = {},
  ): Promise<T> {
    checkFields("options", options, ["signal", "timeoutMs", "headers"]);
    const callHeaders = checkHeaders(options.headers);
    return run(options, async (call) => {
      let answer: Answer | undefined;
      const { response, error } = await operation(inner, {
        headers: callHeaders,
        // The service takes JSON, whatever a caller's header says.
        bodySerializer: (body) => serialize("request", body),
        // What openapi-fetch makes of an answer that is not JSON is a bare SyntaxError: it is read here instead.
        parseAs: "stream",
        Request: hasMiddleware ? Request : CarrierRequest,
        fetch: async (request) => {
          const prepared = await toPreparedRequest(request, {});
          if (!(request instanceof Carrier)) checkHeaderNames(prepared.init.headers.keys() as Iterable<string>);
          answer = await sendPrepared(prepared, call);
          return request instanceof Carrier ? answer.response : toResponse(answer);
        },
      });
      if (!response.ok) {
        checkStatus(response, call);
        const [{ status }, { attempts }] = [response, call];
        // Redacted already, unless a middleware gave the answer.
        const headers = redactHeaders(response.headers, call.secrets);
        const details = { status, headers, attempts, retryAfterSeconds: retryAfterSeconds(headers, clock) };
        throw new ApiError(unparsed(error, call) ?? "", details);
      }
      // A middleware may have given another response, or have copied this one.
      const isOurs = answer?.response === response;
      const text = decode((isOurs && answer?.bytes) || (await readBody(response, call, maxBodyBytes)).bytes);
      const value = parseJson(text);
      if (expected.matches(value)) return value;
      throw invalidResponse(`expected ${expected.description}`, response, call, text);
    });
  }

  /** A method of openapi-fetch for callers. Their options are passed on, except those that would bypass this client. */
  const wrap =
    (method: (typeof methods)[number]) =>
    async (...args: unknown[]) => {
      const last = method === "request" ? 2 : 1;
      const given = checkInit(args[last]);
      const { fetch, headers, parseAs = "json", pathSerializer, signal, timeoutMs, ...init } = given;
      const checkedHeaders = checkHeaders(headers);
      const url = `${baseUrl}${String(args[last - 1])}`;
      if (!init.params?.path) checkPath(url, url);
      return run({ signal, timeoutMs }, async (call) => {
        const result = await (inner[method] as ApiMethod)(...args.slice(0, last), {
          ...init,
          ...(pathSerializer && { pathSerializer: checked(pathSerializer) }),
          // openapi-fetch reads no iterables, but leaves out a client's header if an object says null.
          headers: Symbol.iterator in Object(headers) ? checkedHeaders : headers,
          // Parsed below: openapi-fetch's error for broken JSON shows the text.
          parseAs: parseAs === "json" ? "text" : parseAs,
          signal: call.signal,
          Request: hasMiddleware || init.middleware ? Request : CarrierRequest,
          fetch: async (request: Request) => {
            const prepared = await toPreparedRequest(request, init);
            checkHeaderNames(prepared.init.headers.keys() as Iterable<string>);
            const own = fetch && ((...sent: Parameters<Fetch>) => fetch(new Request(...sent)));
            return toResponse(await sendPrepared(prepared, call, own));
          },
        });
        const { data: text, error, response } = result;
        if (!response.ok) return { ...result, error: unparsed(error, call) };
        if (parseAs !== "json") return result;
        const data = text ? parseJson(text as string) : undefined;
        if (text && data === undefined) throw invalidResponse("expected JSON", response, call, text as string);
        return { ...result, data };
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
  return { callOperation, api };
}

type ApiMethod = (...args: unknown[]) => Promise<{ data?: unknown; error?: unknown; response: Response }>;
type PathSerializer = typeof defaultPathSerializer;

interface ApiInit extends Omit<RequestInit, "headers" | "signal">, CallOptions {
  fetch?: (request: Request) => Promise<Response>;
  params?: { path?: unknown; header?: HeadersOption };
  parseAs?: string;
  pathSerializer?: PathSerializer;
  middleware?: unknown;
}

const isObject = (value: unknown) => typeof value === "object" && value !== null;
const isFunction = (value: unknown) => typeof value === "function";
const bodyKinds = ["json", "text", "blob", "arrayBuffer", "stream"];

/** What openapi-fetch's own options of a call have to be. All others are for `fetch`, which knows them best. */
const initChecks: Readonly<Record<string, readonly [isRight: (value: unknown) => boolean, expected: string]>> = {
  baseUrl: [() => false, "no other base URL than the client's"],
  fetch: [isFunction, "a function"],
  params: [isObject, "an object with path, query, header or cookie"],
  parseAs: [(value) => bodyKinds.includes(value as string), `one of ${bodyKinds.join(", ")}`],
  querySerializer: [(value) => isFunction(value) || isObject(value), "a function, or an object with its settings"],
  bodySerializer: [isFunction, "a function"],
  pathSerializer: [isFunction, "a function"],
  middleware: [Array.isArray, "an array"],
};

function checkInit(init: unknown = {}): ApiInit {
  if (!isObject(init)) throw new InvalidArgumentError("init", "an object");
  for (const [field, [isRight, expected]] of Object.entries(initChecks)) {
    const value = (init as Record<string, unknown>)[field];
    if (value !== undefined && !isRight(value)) throw new InvalidArgumentError(field, expected);
  }
  checkHeaders((init as ApiInit).params?.header);
  return init as ApiInit;
}

/**
 * Refuses a path that `fetch` would make another one of: a parameter that is `..`, empty or missing.
 *
 * @param template The URL with its parameters' names
 * @param url The URL with their values
 */
function checkPath(template: string, url: string): string {
  const segmentsOf = (text: string) => (text.split(/[?#]/, 1)[0] as string).split("/");
  const expected = segmentsOf(template);
  const sent = URL.canParse(url) ? segmentsOf(new URL(url).href) : [];
  const isKept =
    sent.length === expected.length && sent.every((segment, nth) => (segment === "") === (expected[nth] === ""));
  if (isKept && !/\\|\{[^{}]*\}/.test(url)) return url;
  throw new InvalidArgumentError("params.path", "a value for each parameter, and none that is empty, '.' or '..'");
}

const checked =
  (serialize: PathSerializer): PathSerializer =>
  (template, params) =>
    checkPath(template, serialize(template, params));

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

/** What is sent of a request. Its body is read once: the first attempt would use up a stream. */
async function toPreparedRequest(request: Request, init: RequestInit): Promise<PreparedRequest> {
  if (request instanceof Carrier) {
    const { url: input, init: carried } = request;
    if (carried.body === undefined || typeof carried.body === "string") return { input, init: carried };
    return toPreparedRequest(new Request(input, carried), init);
  }
  // Not all platforms tell by `request.body` if there is one.
  const body = await request.arrayBuffer();
  const { url: input, method } = request;
  const headers = new Headers(request.headers);
  return { input, init: { ...init, method, headers, body: body.byteLength > 0 ? body : null } };
}

/** A response for openapi-fetch, its middleware and callers to read. */
function toResponse({ response, bytes }: Answer): Response {
  if (!bytes) return response;
  const { status, headers } = response;
  // `Response` refuses a body, even an empty one, with some statuses.
  const isEmpty = bytes.length === 0 || status === 204 || status === 205;
  return guardJson(new Response(isEmpty ? null : (bytes as Uint8Array<ArrayBuffer>), { status, headers }));
}
