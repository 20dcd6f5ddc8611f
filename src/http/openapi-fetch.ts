import createClient, {
  type Client,
  defaultBodySerializer,
  defaultPathSerializer,
  type FetchOptions,
} from "openapi-fetch";
import { ApiError, InvalidArgumentError } from "../errors.js";
import { check, checkFields, checkHeaders, checkOptions, functionRule, isObject } from "../validate.js";
import { decode, maxBodyBytes, readBody, parseJson, unparsedNote } from "./body.js";
import { requestClass, toPreparedRequest, toResponse } from "./carrier.js";
import { type CallOptions, callRules, runCall, type TokenProvider } from "./deadline.js";
import { errorHeaders } from "./redact.js";
import { checkStatus, invalidResponse, retryAfterSeconds } from "./response.js";
import type { Fetch, FinalResponse, Send, Settings } from "./retry.js";

/** The options that an operation passes to openapi-fetch along with its own parameters and body. */
type OperationInit = Omit<FetchOptions<unknown>, "params" | "body">;

type Result = { data?: unknown; error?: unknown; response: Response };
type Method = (...args: unknown[]) => Promise<Result>;
type PathSerializer = typeof defaultPathSerializer;

/** The options of a call of `api`. */
type ApiInit = CallOptions &
  Omit<OperationInit, keyof CallOptions> & { params?: { path?: unknown; header?: CallOptions["headers"] } };

/**
 * Gives every call of openapi-fetch a deadline, authentication and retries, whatever the operation.
 *
 * @returns a function that calls an operation; and the openapi-fetch client for callers, who get `{ data, error, response }`
 */
export function createApi<Paths extends object>(client: Settings & { send: Send; tokenProvider: TokenProvider }) {
  const { baseUrl, headers, timeoutMs, clock, send, tokenProvider } = client;
  const inner = createClient<Paths>({
    baseUrl,
    headers,
    Request: requestClass(false),
    pathSerializer: checked(defaultPathSerializer),
    bodySerializer: (...args: Parameters<typeof defaultBodySerializer>) => serialize("body", ...args),
  });
  let hasMiddleware = false;

  /** Has openapi-fetch make the request of a call, sends it, and reads the JSON of a 2xx response. */
  function exchange(given: ApiInit, operation: (init: OperationInit) => Promise<Result>) {
    const { fetch, parseAs = "json", signal, timeoutMs: callMs = timeoutMs, middleware } = given;
    const isJson = parseAs === "json";
    const isSeen = hasMiddleware || middleware !== undefined;
    const own: Fetch | undefined = fetch && ((...sent) => fetch(new Request(...sent)));
    return runCall(clock, { timeoutMs: callMs, signal }, async (call) => {
      let final: FinalResponse | undefined;
      const { data, error, response } = await operation({
        ...given,
        signal: call.signal,
        // openapi-fetch's error for broken JSON is a bare SyntaxError that shows the text: it is parsed here instead.
        parseAs: isJson ? "stream" : parseAs,
        Request: requestClass(isSeen),
        async fetch(request: Request) {
          const prepared = await toPreparedRequest(request, given as RequestInit);
          // Neither a path nor a middleware may take the bank token elsewhere.
          check(prepared.input.startsWith(`${baseUrl}/`), "url", `a path under ${baseUrl}`);
          final = await send(prepared, call, { tokenProvider, fetch: own });
          return isJson && !isSeen ? final.response : toResponse(final);
        },
      } as OperationInit);
      if (!response.ok) return { call, response, error: error === unparsedNote ? final?.unparsedText : error };
      if (!isJson) return { call, response, data };
      // A middleware may have returned another response, or have copied this one.
      const bytes = final?.response === response ? final.bytes : undefined;
      const text = decode(bytes ?? (await readBody(response, call, maxBodyBytes)).bytes);
      return { call, response, data: parseJson(text), text };
    });
  }

  /**
   * Calls one operation, and rejects with one of the package's errors if there is no right response.
   *
   * @param expected The right response, in words
   * @param isRight Whether a response's JSON is right
   */
  async function callOperation<T>(
    operation: (client: Client<Paths>, init: OperationInit) => Promise<Result>,
    expected: string,
    isRight: (body: unknown) => body is T,
    options: CallOptions = {},
  ): Promise<T> {
    checkOptions(options, callRules);
    // The body is JSON, so a caller's own header does not count.
    const headers = { ...checkHeaders(options.headers), "content-type": "application/json" };
    const bodySerializer = (body: unknown) => serialize("request", body);
    const given = { ...options, headers, bodySerializer };
    const { call, response, data, error, text } = await exchange(given, (init) => operation(inner, init));
    if (response.ok && isRight(data)) return data;
    if (response.ok) throw invalidResponse(`expected ${expected}`, response, call, text);
    checkStatus(response, call);
    const details = { status: response.status, headers: errorHeaders(response.headers, call), attempts: call.attempts };
    throw new ApiError(error ?? "", { ...details, retryAfterSeconds: retryAfterSeconds(details.headers, clock) });
  }

  /** A method of openapi-fetch for callers. Their options are passed on, except those that would bypass this client. */
  const wrap =
    (name: string, method: Method) =>
    async (...args: unknown[]) => {
      const last = name === "request" ? 2 : 1;
      const given = checkInit(args[last]);
      const url = `${baseUrl}${String(args[last - 1])}`;
      if (!given.params?.path) checkPath(url, url);
      const { call, text, ...result } = await exchange(given, (init) => method(...args.slice(0, last), init));
      if (text && result.data === undefined) throw invalidResponse("expected JSON", result.response, call, text);
      return result;
    };

  const methods = Object.entries(inner as object).map(([name, method]) => [name, wrap(name, method as Method)]);
  const api = {
    ...Object.fromEntries(methods),
    use(...middleware) {
      hasMiddleware = true;
      inner.use(...middleware);
    },
    eject: inner.eject,
  } as Client<Paths>;
  return { callOperation, api };
}

/** Checks the options that would fail late, or show a secret. openapi-fetch and `fetch` check the others. */
function checkInit(init: unknown = {}): ApiInit {
  check(isObject(init), "init", "an object");
  const given = init as ApiInit;
  checkFields<ApiInit>(given, {
    ...callRules,
    // The bank token goes nowhere else.
    baseUrl: ["the client's own", () => false],
    fetch: functionRule,
    pathSerializer: functionRule,
    bodySerializer: functionRule,
    params: ["an object", isObject],
    parseAs: [
      "json, text, blob, arrayBuffer or stream",
      (kind) => /^(?:json|text|blob|arrayBuffer|stream)$/.test(kind),
    ],
  });
  const { params, pathSerializer, headers } = given;
  checkHeaders(params?.header);
  const checkedHeaders = checkHeaders(headers);
  return {
    ...given,
    // openapi-fetch reads no iterables, but leaves out a client's header if an object says null.
    headers: Symbol.iterator in Object(headers) ? checkedHeaders : headers,
    ...(pathSerializer && { pathSerializer: checked(pathSerializer) }),
  };
}

/**
 * Refuses a path that `fetch` would change into another one: a parameter is `..`, empty or missing.
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

function serialize(field: string, ...args: Parameters<typeof defaultBodySerializer>): unknown {
  try {
    return defaultBodySerializer(...args);
  } catch {
    throw new InvalidArgumentError(field, "what JSON can hold: no cycles, no BigInt");
  }
}
