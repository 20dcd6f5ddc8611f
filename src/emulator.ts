import { timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Ajv, type ValidateFunction } from "ajv";
import { exportJWK, generateKeyPair, jwtVerify, SignJWT, errors as joseErrors } from "jose";
import { spec } from "../generated/spec.js";

/** The paths that the emulator counts and plays faults on. */
export type EmulatorPath = "/oauth/token" | "/api/customer_tokens" | "/.well-known/jwks.json";

/** A client of the emulated bank. */
export interface EmulatorClient {
  clientId: string;
  clientSecret: string;
  /** Scopes that it may ask for. Default: every scope. */
  scopes?: readonly string[];
}

/** What goes wrong with a request. Without `status` and `reset` the request is answered as usual, after the delay. */
export interface Fault {
  path: EmulatorPath;
  /** Which request of this path, counted from 1. Default: the next one that no other fault is for. */
  nth?: number;
  /** How many requests in a row. Default: 1. */
  times?: number;
  /** Milliseconds before anything else happens; `Infinity` hangs until the emulator is closed. */
  delayMs?: number;
  /** Cuts the connection: before the request is processed, or after it was, so that only the answer is lost. */
  reset?: "before" | "after";
  /** Answers with this status instead. */
  status?: number;
  headers?: Record<string, string>;
  /** A string as it is, anything else as JSON. Default: none. */
  body?: unknown;
  /** Sends so many bytes of the answer, and then cuts the connection. */
  truncateBytes?: number;
}

/** One request that was answered. It holds no secret and no token. */
export interface EmulatorRequest {
  method: string;
  path: string;
  /** HTTP status; 0 where the connection was cut. */
  status: number;
  /** The `error` or `message_code` of the answer, where it has one. */
  code: string | undefined;
}

/** Options of {@link startEmulator}. */
export interface EmulatorOptions {
  /** TCP port on 127.0.0.1. Default: 0, a free one. */
  port?: number;
  /** Default: one client, given back as `client`. */
  clients?: readonly EmulatorClient[];
  /** Guids of the customers that exist, or `"any"`. Default: one, given back as `customerGuid`. */
  customers?: readonly string[] | "any";
  /** Lifetime of a bank token in seconds. Default: 1800. */
  bankTokenLifetimeSeconds?: number;
  /** Lifetime of a customer token in seconds. Default: 1800. */
  customerTokenLifetimeSeconds?: number;
  /** Leaves `expires_in` out of the answer, as RFC 6749, section 5.1 allows. Default: false. */
  omitExpiresIn?: boolean;
  /** How tokens are signed. Default: RS512. */
  algorithm?: "RS256" | "RS512";
  /** Wall clock in milliseconds. Default: `Date.now`. */
  now?: () => number;
  /** Faults to play; `play` adds more. */
  faults?: readonly Fault[];
  /** Answers 429 beyond so many requests of a path in a window, as the service documents it. Default: no limit. */
  quotas?: { tokenRequests: number; mints: number; windowSeconds: number };
  /** Called with every answered request. */
  onRequest?: (request: EmulatorRequest) => void;
}

/** A running emulator. */
export interface Emulator extends AsyncDisposable {
  /** Base URL, without a trailing slash. */
  readonly url: string;
  /** The first client. */
  readonly client: { clientId: string; clientSecret: string };
  /** The first customer; where any customer exists, one of them. */
  readonly customerGuid: string;
  /** How often each path was asked, whatever came of it. */
  readonly counts: Readonly<Record<EmulatorPath, number>>;
  /** What was answered, in order; the last 1000. */
  readonly requests: readonly EmulatorRequest[];
  /** Adds faults. */
  play(...faults: Fault[]): void;
  /** Makes every bank token given so far fail with 401 `authentication_failed`. */
  revokeTokens(): void;
  /** Ends every connection and delay, and gives the port back. */
  close(): Promise<void>;
}

const defaultClient: EmulatorClient = { clientId: "emulator-client", clientSecret: "emulator-secret" };
const defaultCustomer = "0123456789abcdef0123456789abcdef";
const maxBodyBytes = 100_000;
const maxRequestsKept = 1000;

const tokenOperation = spec.paths["/oauth/token"].post;
const mintOperation = spec.paths["/api/customer_tokens"].post;
const requiredScopes = ["customers:write", "customers:read"];

interface Answer {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
}

/** An `error_message` and `message_code` of the service, in its own words. */
function refusal(status: number, message_code: string, error_message: string): Answer {
  return { status, body: { status, error_message, message_code } };
}

/** An error of RFC 6749, section 5.2. */
function tokenError(status: 400 | 401, error: string, error_description: string): Answer {
  return {
    status,
    body: { error, error_description },
    ...(status === 401 && { headers: { "www-authenticate": 'Basic realm="emulator"' } }),
  };
}

/**
 * Starts an identity provider for tests and demonstrations: it speaks the description's two operations and
 * `GET /.well-known/jwks.json` on 127.0.0.1, with real RSA-signed tokens, checks what the service checks, and answers
 * each failure with the documented status, message and code.
 *
 * A body that breaks the description's schema is answered 422 `invalid_parameter`; the service documents no code for it.
 *
 * @throws {TypeError} naming the option that is wrong
 */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  checkOptions(options);
  const {
    port = 0,
    clients = [defaultClient],
    customers = [defaultCustomer],
    bankTokenLifetimeSeconds = 1800,
    customerTokenLifetimeSeconds = 1800,
    omitExpiresIn = false,
    algorithm = "RS512",
    now = Date.now,
    quotas,
    onRequest,
  } = options;
  const client = clients[0] ?? defaultClient;
  const faults = (options.faults ?? []).map((fault) => ({ ...fault, left: fault.times ?? 1 }));
  const counts: Record<EmulatorPath, number> = {
    "/oauth/token": 0,
    "/api/customer_tokens": 0,
    "/.well-known/jwks.json": 0,
  };
  const requests: EmulatorRequest[] = [];
  const windows = new Map<string, number[]>();
  /** Tokens whose signature has been checked once. */
  const verified = new Map<string, Claims>();
  const wakers = new Set<() => void>();
  const validate = compileSchemas();

  const { privateKey, publicKey } = await generateKeyPair(algorithm);
  const jwk = { ...(await exportJWK(publicKey)), kid: crypto.randomUUID(), alg: algorithm, use: "sig" };
  let revokedBefore = 0;
  let issued = 0;
  let url = "";

  function sign(claims: Record<string, unknown>, lifetimeSeconds: number): Promise<string> {
    const iat = Math.floor(now() / 1000);
    return new SignJWT({
      ...claims,
      iss: url,
      aud: [url],
      iat,
      exp: iat + lifetimeSeconds,
      jti: `${++issued}-${jwk.kid}`,
    })
      .setProtectedHeader({ alg: algorithm, typ: "JWT", kid: jwk.kid })
      .sign(privateKey);
  }

  async function token(request: IncomingMessage, text: string): Promise<Answer> {
    const parsed = tokenParameters(request, text);
    if (!parsed) return tokenError(400, "invalid_request", "The body is neither JSON nor a form");
    const { grant_type, client_id, client_secret, scope } = parsed;
    if (grant_type === undefined) return tokenError(400, "invalid_request", "grant_type is missing");
    if (grant_type !== "client_credentials")
      return tokenError(400, "unsupported_grant_type", "Only client_credentials");
    const known = clients.find(({ clientId }) => clientId === client_id);
    if (!known || typeof client_secret !== "string" || !same(known.clientSecret, client_secret)) {
      return tokenError(401, "invalid_client", "Client authentication failed");
    }
    if (!validate.accessTokenRequest(parsed)) return tokenError(400, "invalid_request", "The body breaks the schema");
    const scopes = scope === undefined ? (known.scopes ?? requiredScopes) : String(scope).split(" ").filter(Boolean);
    if (known.scopes && scopes.some((name) => !known.scopes?.includes(name))) {
      return tokenError(400, "invalid_scope", "The client may not have this scope");
    }
    const access_token = await sign({ sub: known.clientId, sub_type: "bank", scope: scopes }, bankTokenLifetimeSeconds);
    return {
      status: 200,
      headers: { "cache-control": "no-store", pragma: "no-cache" },
      body: {
        access_token,
        token_type: "Bearer",
        ...(!omitExpiresIn && { expires_in: bankTokenLifetimeSeconds }),
        scope: scopes.join(" "),
      },
    };
  }

  async function mint(request: IncomingMessage, text: string): Promise<Answer> {
    const header = request.headers.authorization;
    if (header === undefined) return refusal(401, "unauthorized", "Unauthorized");
    const [, jwt] = /^Bearer ([\w.~+/=-]+)$/i.exec(header) ?? [];
    if (jwt === undefined) return refusal(401, "authentication_malformed", "Authorization header is malformed");
    const claims = await verify(jwt);
    if ("status" in claims) return claims;
    if (claims.sub_type !== "bank") return refusal(401, "invalid_subject", "Invalid Subject type. Required: bank");
    const missing = requiredScopes.find((scope) => !claims.scope.includes(scope));
    if (missing) return refusal(403, "invalid_scopes", `Invalid scopes. Required: ${missing}`);
    const body = parse(text);
    if (!validate.postCustomerToken(body)) {
      const { instancePath = "", message = "is not valid" } = validate.postCustomerToken.errors?.[0] ?? {};
      return refusal(422, "invalid_parameter", `Invalid parameter: ${instancePath.slice(1) || "body"} ${message}`);
    }
    const { customer_guid, scopes } = body as { customer_guid: string; scopes: string[] };
    if (customers !== "any" && !customers.includes(customer_guid))
      return refusal(422, "no_customer", "Unknown customer");
    const access_token = await sign(
      { sub: customer_guid, sub_type: "customer", scope: scopes, bank_guid: claims.sub },
      customerTokenLifetimeSeconds,
    );
    return { status: 201, body: { access_token } };
  }

  async function verify(jwt: string): Promise<Claims | Answer> {
    const failed = (message: string) => refusal(401, "authentication_failed", message);
    let claims = verified.get(jwt);
    if (!claims) {
      try {
        const clock = { currentDate: new Date(now()) };
        claims = (await jwtVerify(jwt, publicKey, { issuer: url, audience: url, ...clock }))
          .payload as unknown as Claims;
        if (verified.size >= maxRequestsKept) verified.clear();
        verified.set(jwt, claims);
      } catch (error) {
        if (error instanceof joseErrors.JWTExpired) return failed("Signature has expired");
        if (error instanceof joseErrors.JWTClaimValidationFailed) {
          return failed(error.claim === "aud" ? "Invalid audience" : "Invalid issuer");
        }
        return failed("Signature verification raised");
      }
    }
    if (claims.exp * 1000 <= now()) return failed("Signature has expired");
    return Number.parseInt(claims.jti, 10) <= revokedBefore ? failed("Signature verification raised") : claims;
  }

  const routes: Record<
    EmulatorPath,
    { method: "GET" | "POST"; answer: (r: IncomingMessage, text: string) => Promise<Answer> | Answer }
  > = {
    "/oauth/token": { method: "POST", answer: token },
    "/api/customer_tokens": { method: "POST", answer: mint },
    "/.well-known/jwks.json": { method: "GET", answer: () => ({ status: 200, body: { keys: [jwk] } }) },
  };

  function takeFault(path: EmulatorPath): Fault | undefined {
    const fault = faults.find((candidate) => {
      if (candidate.path !== path || candidate.left === 0) return false;
      return candidate.nth === undefined || counts[path] >= candidate.nth;
    });
    if (fault) fault.left--;
    return fault;
  }

  function overQuota(path: EmulatorPath): Answer | undefined {
    const limit =
      path === "/oauth/token" ? quotas?.tokenRequests : path === "/api/customer_tokens" ? quotas?.mints : undefined;
    if (limit === undefined || !quotas) return undefined;
    const since = now() - quotas.windowSeconds * 1000;
    const recent = (windows.get(path) ?? []).filter((time) => time > since);
    windows.set(path, recent);
    if (recent.length >= limit) {
      const retryAfter = Math.ceil(((recent[0] ?? 0) - since) / 1000);
      // A gateway's answer, not the service's own.
      return { status: 429, body: "Too many requests", headers: { "retry-after": String(retryAfter) } };
    }
    recent.push(now());
    return undefined;
  }

  /** Waits, unless the emulator is closed. */
  function delay(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = delayMs < 2 ** 31 ? setTimeout(wake, delayMs) : undefined;
      function wake() {
        clearTimeout(timer);
        wakers.delete(wake);
        resolve();
      }
      wakers.add(wake);
    });
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const method = request.method ?? "";
    const path = (request.url ?? "").split("?", 1)[0] ?? "";
    const cors = {
      "access-control-allow-origin": "*",
      "access-control-expose-headers": "Retry-After, WWW-Authenticate",
    };
    const log = (status: number, code?: string) => {
      requests.push({ method, path, status, code });
      if (requests.length > maxRequestsKept) requests.shift();
      onRequest?.({ method, path, status, code });
    };
    const reset = () => {
      log(0);
      request.socket.resetAndDestroy();
    };
    const send = ({ status, body, headers }: Answer, truncateBytes?: number) => {
      const isText = typeof body === "string";
      const text = Buffer.from(body === undefined ? "" : isText ? body : JSON.stringify(body));
      const type =
        body === undefined ? {} : { "content-type": isText ? "text/plain; charset=utf-8" : "application/json" };
      response.writeHead(status, { ...cors, ...type, "content-length": text.length, ...headers });
      if (truncateBytes !== undefined && truncateBytes < text.length) {
        log(status);
        response.write(text.subarray(0, truncateBytes), () => request.socket.destroy());
        // Nothing to write means no callback before the headers are out.
        if (truncateBytes === 0) response.flushHeaders();
        return;
      }
      const { error, message_code } = (typeof body === "object" ? body : {}) as {
        error?: string;
        message_code?: string;
      };
      log(status, error ?? message_code);
      response.end(text);
    };

    if (!Object.hasOwn(routes, path))
      return send({ status: 404, body: { status: 404, error_message: "Not found", message_code: "not_found" } });
    const route = routes[path as EmulatorPath];
    const allow = `${route.method}, OPTIONS`;
    if (method === "OPTIONS") {
      const headers = {
        allow,
        "access-control-allow-methods": allow,
        "access-control-allow-headers": "*, Authorization",
        "access-control-max-age": "600",
      };
      return send({ status: 204, headers });
    }
    if (method !== route.method) return send({ status: 405, headers: { allow } });

    const counted = path as EmulatorPath;
    counts[counted]++;
    const fault = takeFault(counted);
    if (fault?.delayMs !== undefined) await delay(fault.delayMs);
    if (fault?.reset === "before") return reset();
    const text = await readBody(request);
    if (text === undefined) return send({ status: 413, headers: { connection: "close" } });
    if (fault?.status !== undefined) {
      const { status, body, headers = {} } = fault;
      return send({ status, body, headers }, fault.truncateBytes);
    }
    const answer = overQuota(counted) ?? (await route.answer(request, text));
    if (fault?.reset === "after") return reset();
    send({ ...answer, headers: { ...answer.headers, ...fault?.headers } }, fault?.truncateBytes);
  }

  const server = createServer((request, response) => {
    handle(request, response).catch(() => {
      // The client went away while its request was read.
      request.socket.destroy();
    });
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, host: "127.0.0.1", backlog: 4096 }, resolve);
  });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
      for (const wake of wakers) wake();
    });
  return {
    url,
    client: { clientId: client.clientId, clientSecret: client.clientSecret },
    customerGuid: customers === "any" ? defaultCustomer : (customers[0] ?? defaultCustomer),
    counts,
    requests,
    play(...more) {
      checkOptions({ faults: more });
      faults.push(...more.map((fault) => ({ ...fault, left: fault.times ?? 1 })));
    },
    revokeTokens: () => {
      revokedBefore = issued;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

interface Claims {
  sub: string;
  sub_type: string;
  scope: string[];
  exp: number;
  jti: string;
}

/** The parameters of a token request: JSON as the service documents it, or a form with the client's HTTP Basic header. */
function tokenParameters(request: IncomingMessage, text: string): Record<string, unknown> | undefined {
  if (!/^application\/x-www-form-urlencoded\b/i.test(request.headers["content-type"] ?? "")) {
    const body = parse(text);
    return typeof body === "object" && body !== null && !Array.isArray(body)
      ? (body as Record<string, unknown>)
      : undefined;
  }
  const form = Object.fromEntries(new URLSearchParams(text));
  const [, credentials] = /^Basic (\S+)$/i.exec(request.headers.authorization ?? "") ?? [];
  if (credentials === undefined) return form;
  // RFC 6749, section 2.3.1: both halves are form-encoded themselves.
  const [id = "", ...secret] = Buffer.from(credentials, "base64").toString().split(":");
  const decode = (half: string) => new URLSearchParams(`x=${half}`).get("x") ?? "";
  return { ...form, client_id: decode(id), client_secret: decode(secret.join(":")) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function same(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** The body as text, `undefined` where it is too large. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBodyBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function compileSchemas(): Record<"accessTokenRequest" | "postCustomerToken", ValidateFunction> {
  const ajv = new Ajv({ strict: false, validateFormats: false });
  const { schemas } = spec.components;
  // The description's keywords mean the same in JSON Schema, but for `nullable`, which Ajv knows.
  ajv.addSchema({ $id: "spec", components: { schemas } });
  const compile = (operation: { requestBody: { content: { "application/json": { schema: { $ref: string } } } } }) =>
    ajv.compile({ $ref: `spec${operation.requestBody.content["application/json"].schema.$ref}` });
  return { accessTokenRequest: compile(tokenOperation), postCustomerToken: compile(mintOperation) };
}

function checkOptions(options: EmulatorOptions): void {
  const refuse = (field: string, expected: string): never => {
    throw new TypeError(`${field}: expected ${expected}`);
  };
  const { port, clients, customers, faults, algorithm } = options;
  if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port < 65536))
    refuse("port", "a port number, or 0");
  if (clients !== undefined) {
    const valid =
      Array.isArray(clients) &&
      clients.length > 0 &&
      clients.every(({ clientId, clientSecret }) => clientId && clientSecret);
    if (!valid) refuse("clients", "at least one client with clientId and clientSecret");
  }
  if (customers !== undefined && customers !== "any") {
    const valid = Array.isArray(customers) && customers.every((guid) => typeof guid === "string" && guid.length === 32);
    if (!valid) refuse("customers", '"any", or guids of 32 characters');
  }
  for (const field of ["bankTokenLifetimeSeconds", "customerTokenLifetimeSeconds"] as const) {
    const seconds = options[field];
    if (seconds !== undefined && !(Number.isFinite(seconds) && seconds > 0)) refuse(field, "seconds above 0");
  }
  if (algorithm !== undefined && !["RS256", "RS512"].includes(algorithm)) refuse("algorithm", "RS256 or RS512");
  for (const fault of faults ?? []) {
    if (!["/oauth/token", "/api/customer_tokens", "/.well-known/jwks.json"].includes(fault.path)) {
      refuse("faults", "the path of an operation");
    }
    const { nth = 1, times = 1, delayMs = 0, status = 200 } = fault;
    if (!(nth >= 1) || !(times >= 1)) refuse("faults", "nth and times from 1");
    if (!(delayMs >= 0)) refuse("faults", "delayMs from 0");
    if (!(Number.isInteger(status) && status >= 200 && status <= 599)) refuse("faults", "a status from 200 to 599");
  }
}
