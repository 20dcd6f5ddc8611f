import createClient, { type Client, defaultBodySerializer, defaultPathSerializer } from "openapi-fetch";
import { ApiError, InvalidArgumentError } from "../errors.js";
import { check, checkFields, checkHeaderNames, checkHeaders, checkTimeout, type HeadersOption } from "../validate.js";
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
  async function exchange(request: Request, call: CallContext, init: RequestInit, fetch?: Fetch): Promise<Answer> {
    const prepared = await toPreparedRequest(request, init);
    // Neither a path nor a middleware may take the bank token elsewhere.
    check(prepared.input.startsWith(`${baseUrl}/`), "url", `a path under ${baseUrl}`);
    checkHeaderNames(prepared.init.headers.keys() as Iterable<string>);
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
          answer = await exchange(request, call, {});
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
    (method: string) =>
    async (...args: unknown[]) => {
      const last = method === "request" ? 2 : 1;
      const { fetch, headers, parseAs = "json", pathSerializer, signal, timeoutMs, ...init } = checkInit(args[last]);
      const checkedHeaders = checkHeaders(headers);
      const url = `${baseUrl}${String(args[last - 1])}`;
      if (!init.params?.path) checkPath(url, url);
      const own = fetch && ((...sent: Parameters<Fetch>) => fetch(new Request(...sent)));
      return run({ signal, timeoutMs }, async (call) => {
        const result = await (inner as unknown as Record<string, ApiMethod>)[method]!(...args.slice(0, last), {
          ...init,
          ...(pathSerializer && { pathSerializer: checked(pathSerializer) }),
          // openapi-fetch reads no iterables, but leaves out a client's header if an object says null.
          headers: Symbol.iterator in Object(headers) ? checkedHeaders : headers,
          // Parsed below: openapi-fetch's error for broken JSON shows the text.
          parseAs: parseAs === "json" ? "text" : parseAs,
          signal: call.signal,
          Request: hasMiddleware || init.middleware ? Request : CarrierRequest,
          fetch: async (request: Request) => toResponse(await exchange(request, call, init, own)),
        });
        const { data: text, error, response } = result;
        if (!response.ok) return { ...result, error: unparsed(error, call) };
        if (parseAs !== "json") return result;
        const data = text ? parseJson(text as string) : undefined;
        if (text && data === undefined) throw invalidResponse("expected JSON", response, call, text as string);
        return { ...result, data };
      });
    };

  const methods = Object.keys(inner).filter((name) => name !== "use" && name !== "eject");
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
  baseUrl?: unknown;
}

/** Checks what would fail late, or show a secret. All other options are openapi-fetch's and `fetch`'s to know. */
function checkInit(init: unknown = {}): ApiInit {
  const given = Object(init) as ApiInit;
  const { baseUrl, fetch, params = {}, parseAs = "json" } = given;
  const areRight = {
    init: given === init,
    // The bank token goes nowhere else.
    baseUrl: baseUrl === undefined,
    fetch: fetch === undefined || typeof fetch === "function",
    params: Object(params) === params,
    parseAs: ["json", "text", "blob", "arrayBuffer", "stream"].includes(parseAs),
  };
  for (const [field, isRight] of Object.entries(areRight)) check(isRight, field, "what a call of api takes");
  checkHeaders(params.header);
  return given;
}

/**
 * Refuses a path that `fetch` would make another one of: a parameter that is `..`, empty or missing.
 *
 * @param template The URL with its parameters' names
 * @param url The URL with their values
 */
function checkPath(template: string, url: string): string {
  const [names, values] = [template.split("/"), url.split("/")];
  const isWhole = names.length === values.length && names.every((name, nth) => !name || values[nth]);
  const isKept = isWhole && URL.canParse(url) && new URL(url).href === url;
  check(isKept, "params.path", "no parameter that is missing, empty, '.' or '..'");
  return url;
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
