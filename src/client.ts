import createClient, { type Client } from "openapi-fetch";
import { environments } from "../generated/environments.js";
import {
  type CustomerTokenIdpModel,
  type PostCustomerTokenIdpModel,
  PostCustomerTokenIdpModelConstraints,
} from "../generated/models/index.js";
import type { paths } from "../generated/paths.js";
import type { Auth } from "./auth/auth.js";
import { ApiError, InvalidArgumentError } from "./errors.js";
import { redactHeaders } from "./http/redact.js";
import { type CallContext, runCall } from "./http/call.js";
import { checkFields, checkTimeout, printableAscii } from "./validate.js";
import { type Clock, systemClock } from "./http/clock.js";
import { createSend, type HeadersInit, type PreparedRequest } from "./http/send.js";
import { invalidResponse, parseJson, readBody, retryAfterSeconds } from "./http/response.js";

/** The service's environments, from the description's servers. */
export type Environment = keyof typeof environments;

/** Options of {@link createCustomerTokensClient}. */
export interface CustomerTokensClientOptions {
  /** How to authenticate: `clientCredentials(…)` or `bearer(…)`. */
  auth: Auth;
  /**
   * Which of the service's environments to use.
   *
   * @default "sandbox"
   */
  environment?: Environment;
  /**
   * Base URL instead of an environment: `https:`, or `http:` on a loopback address. A path prefix is kept. Bank tokens are
   * asked for on the same host.
   */
  baseUrl?: string | URL;
  /**
   * Allows a `baseUrl` with `http:` on a host that is not loopback, such as an emulator in a container. Tokens and secrets
   * then travel in the clear.
   *
   * @default false
   */
  allowInsecureHttp?: boolean;
  /**
   * Time that a call has in milliseconds: for the token request, all tries and waits, and the body.
   *
   * @default 10_000
   */
  timeoutMs?: number;
  /**
   * How often a request is sent again after a network error, 429, 502, 503 or 504. `0`: never.
   *
   * @default 2
   */
  maxRetries?: number;
  /** Headers of every request, of token requests too. */
  headers?: HeadersInit;
  /**
   * Sees every attempt, also of token requests: for proxies, tracing, tests.
   *
   * @default `globalThis.fetch` as it is at the time of the call
   */
  fetch?: typeof globalThis.fetch;
  /** Where time comes from, for tests. Default: the system's clocks. */
  clock?: Clock;
  /** Gives numbers from 0 to 1, for jitter. Default: `Math.random`. */
  random?: () => number;
}

const optionNames = [
  "auth",
  "environment",
  "baseUrl",
  "allowInsecureHttp",
  "timeoutMs",
  "maxRetries",
  "headers",
  "fetch",
  "clock",
  "random",
] as const satisfies readonly (keyof CustomerTokensClientOptions)[];

/** Options of one call. */
export interface CallOptions {
  /** Ends the call; it then rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Time that this call has, in milliseconds. Default: the client's. */
  timeoutMs?: number;
  /** Headers of this call, besides the client's. */
  headers?: HeadersInit;
}

/** A client of the customer-tokens endpoint. */
export interface CustomerTokensClient {
  /**
   * Creates an access token for one customer of the bank (`POST /api/customer_tokens`).
   *
   * @param request The customer, by a guid of 32 characters, and the scopes of the token, at least one and each once
   * @returns the answer, with an `access_token` that is never empty
   * @throws {InvalidArgumentError} before anything is sent, where the request breaks the description's constraints
   * @throws {ApiError} where the service answers 4xx or 5xx
   * @throws {TokenRequestError} where `clientCredentials` gets no bank token
   * @throws {InvalidResponseError} where the answer is not what the description says
   * @throws {ConnectionError} without a complete answer
   * @throws {TimeoutError} after `timeoutMs`
   * @see `generated/docs/CustomerTokensIdpApi.md`
   */
  createCustomerToken(
    request: PostCustomerTokenIdpModel,
    options?: CallOptions,
  ): Promise<CustomerTokenIdpModel & { access_token: string }>;

  /**
   * The openapi-fetch client underneath, with the same authentication, retries and deadline, for those who prefer
   * `{ data, error, response }`. It rejects where there is no answer or broken JSON. Middleware sees
   * `createCustomerToken` too.
   */
  readonly api: Client<Omit<paths, "/oauth/token">>;
}

/**
 * Creates a client. It sends nothing yet.
 *
 * @throws {InvalidArgumentError} naming the option that is wrong
 */
export function createCustomerTokensClient(options: CustomerTokensClientOptions): CustomerTokensClient {
  checkFields("options", options, optionNames);
  const { auth, headers, clock = systemClock, random = Math.random } = options;
  if (typeof auth !== "function") throw new InvalidArgumentError("auth", "clientCredentials(…) or bearer(…)");
  const timeoutMs = checkTimeout("timeoutMs", options.timeoutMs ?? 10_000);
  const maxRetries = options.maxRetries ?? 2;
  if (!Number.isInteger(maxRetries) || maxRetries < 0) {
    throw new InvalidArgumentError("maxRetries", "a whole number from 0");
  }
  if (options.fetch !== undefined && typeof options.fetch !== "function") {
    throw new InvalidArgumentError("fetch", "a function");
  }
  const baseUrl = resolveBaseUrl(options);
  // Looked up at each call, so that patches and instrumentation that come later are seen.
  const fetch: typeof globalThis.fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init));

  const send = createSend({ fetch, maxRetries, clock, random });
  const tokenProvider = auth({ baseUrl, timeoutMs, maxRetries, headers, send, clock, random });

  const api = createClient<Omit<paths, "/oauth/token">>({
    baseUrl,
    ...(headers && { headers: Object.fromEntries(checkHeaders(headers)) }),
    Request: PlatformRequest,
    fetch: (request) =>
      runCall(clock, { timeoutMs, signal: request.signal }, async (call) => {
        const response = await send(await readRequest(request), call, tokenProvider);
        return response.ok ? buffer(response, call) : response;
      }),
  });

  // Middleware may expect all that a Request has; without any, a plain carrier saves most of the cost of a call.
  let carrier: { Request: typeof Request } | undefined = {
    Request: Carrier as unknown as typeof Request,
  };
  const { use } = api;
  api.use = (...middleware) => {
    carrier = undefined;
    use(...middleware);
  };

  async function createCustomerToken(request: PostCustomerTokenIdpModel, callOptions: CallOptions = {}) {
    checkRequest(request);
    const { signal, headers: callHeaders } = callOptions;
    const limits = { timeoutMs: checkTimeout("timeoutMs", callOptions.timeoutMs ?? timeoutMs), signal };
    return runCall(clock, limits, async (call) => {
      const { response, error } = await api.POST("/api/customer_tokens", {
        ...carrier,
        ...(callHeaders && { headers: checkHeaders(callHeaders) }),
        body: request,
        // The endpoint takes JSON, whatever a caller's header says.
        bodySerializer: (body) => JSON.stringify(body),
        // What openapi-fetch makes of an answer that is not JSON is a bare SyntaxError: it is read here instead.
        parseAs: "stream",
        fetch: async (outgoing) =>
          send(outgoing instanceof Carrier ? outgoing : await readRequest(outgoing), call, tokenProvider),
      });
      if (!response.ok) {
        throw new ApiError(error ?? "", {
          status: response.status,
          // Redacted already, unless a middleware gave the answer.
          headers: redactHeaders(response.headers, call.secrets),
          attempts: call.attempts,
          retryAfterSeconds: retryAfterSeconds(response.headers, clock),
        });
      }
      const text = await readBody(response, call, () => response.text());
      const answer = parseJson(text) as CustomerTokenIdpModel | null | undefined;
      const access_token: unknown = answer?.access_token;
      if (typeof access_token !== "string" || !printableAscii.test(access_token)) {
        throw invalidResponse("expected JSON with an access_token", response, call, text);
      }
      return { ...answer, access_token };
    });
  }

  return { createCustomerToken, api };
}

/** What a Request was made of: a Request itself does not give it back, and a body only once. */
const inits = new WeakMap<Request, RequestInit>();

/** Looks `Request` up late, too: touching it loads the platform's whole fetch implementation. */
const PlatformRequest = class {
  static [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof globalThis.Request;
  }

  constructor(url: string, init: RequestInit) {
    const request = new globalThis.Request(url, init);
    inits.set(request, init);
    return request;
  }
} as unknown as typeof Request;

/** What openapi-fetch builds in place of a Request, whose body stream `fetch` would only copy. */
class Carrier implements PreparedRequest {
  readonly method: string;
  readonly input: string;
  readonly init: PreparedRequest["init"];

  constructor(input: string, init: PreparedRequest["init"] & { method: string }) {
    this.method = init.method;
    this.input = input;
    this.init = init;
  }
}

/** Reads a request's body once, since the first attempt would use up a stream. */
async function readRequest(request: Request): Promise<PreparedRequest> {
  // Not all platforms tell by `request.body` if there is one.
  const body = await request.arrayBuffer();
  const { body: _sent, ...init } = inits.get(request) ?? {};
  const { url: input, method } = request;
  return {
    input,
    init: { ...init, method, headers: new Headers(request.headers), ...(body.byteLength > 0 && { body }) },
  };
}

/**
 * Reads an answer within the call's time, for openapi-fetch to parse whenever it comes to it.
 *
 * @throws {InvalidResponseError} for broken JSON, which openapi-fetch would show in its error
 */
async function buffer(response: Response, call: CallContext): Promise<Response> {
  const body = await readBody(response, call, () => response.arrayBuffer());
  const { status, headers } = response;
  if (body.byteLength === 0) return new Response(null, { status, headers });
  if (headers.get("content-type")?.includes("json")) {
    const text = new TextDecoder().decode(body);
    if (parseJson(text) === undefined) throw invalidResponse("expected JSON", response, call, text);
  }
  return new Response(body, { status, headers });
}

function resolveBaseUrl(options: CustomerTokensClientOptions): string {
  const { environment = "sandbox", baseUrl, allowInsecureHttp = false } = options;
  if (typeof allowInsecureHttp !== "boolean") throw new InvalidArgumentError("allowInsecureHttp", "true or false");
  if (baseUrl === undefined) {
    if (Object.hasOwn(environments, environment)) return environments[environment];
    throw new InvalidArgumentError("environment", Object.keys(environments).join(" or "));
  }
  if (options.environment !== undefined) {
    throw new InvalidArgumentError("baseUrl", "either an environment or a base URL", "both");
  }
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
  if (!url || !["https:", "http:"].includes(url.protocol)) throw new InvalidArgumentError("baseUrl", "an https: URL");
  if (url.username || url.password || url.search || url.hash) {
    throw new InvalidArgumentError("baseUrl", "a URL without credentials, query and fragment");
  }
  if (url.protocol === "http:" && !allowInsecureHttp && !isLoopback(url.hostname)) {
    throw new InvalidArgumentError("baseUrl", "https: on a host that is not loopback (or allowInsecureHttp)", "http:");
  }
  return url.href.replace(/\/+$/, "");
}

/** Loopback addresses, and the names that always mean them (RFC 6761, section 6.3). */
function isLoopback(hostname: string): boolean {
  return /^(?:127(?:\.\d+){3}|\[::1\]|(?:.+\.)?localhost)$/.test(hostname);
}

function checkHeaders(headers: HeadersInit): Headers {
  try {
    return new Headers(headers);
  } catch {
    // The platform's message would show the value.
    throw new InvalidArgumentError("headers", "names and values that HTTP allows");
  }
}

interface Constraint {
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  uniqueItems?: boolean;
}

/** Checks what the service would refuse anyway. Scopes may be unknown here and known there, so they are not compared. */
function checkRequest(request: PostCustomerTokenIdpModel): void {
  if (typeof request !== "object" || request === null) throw new InvalidArgumentError("request", "an object");
  const { customer_guid: guid, scopes }: { customer_guid: unknown; scopes: unknown } = request;
  const constraints: Record<keyof PostCustomerTokenIdpModel, Constraint> = PostCustomerTokenIdpModelConstraints;

  const { minLength = 1, maxLength = Infinity } = constraints.customer_guid;
  const length = minLength === maxLength ? `${minLength}` : `${minLength} to ${maxLength}`;
  if (typeof guid !== "string" || guid.length < minLength || guid.length > maxLength) {
    const got = typeof guid === "string" ? `${guid.length}` : typeof guid;
    throw new InvalidArgumentError("customer_guid", `a string of ${length} characters`, got);
  }

  const { minItems = 1, uniqueItems = true } = constraints.scopes;
  if (!Array.isArray(scopes)) throw new InvalidArgumentError("scopes", "an array of strings", typeof scopes);
  if (scopes.length < minItems) throw new InvalidArgumentError("scopes", `at least ${minItems}`, `${scopes.length}`);
  for (const [index, scope] of scopes.entries()) {
    if (typeof scope !== "string")
      throw new InvalidArgumentError("scopes", "strings only", `${typeof scope} at ${index}`);
    const first = scopes.indexOf(scope);
    if (uniqueItems && first < index) {
      throw new InvalidArgumentError("scopes", "each scope once", `the same at ${first} and ${index}`);
    }
  }
}
