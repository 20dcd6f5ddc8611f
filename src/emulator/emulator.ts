import { timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Ajv, type ValidateFunction } from "ajv";
import { exportJWK, generateKeyPair, jwtVerify, SignJWT, errors as joseErrors } from "jose";
import { spec } from "../../generated/spec.js";
import {
  checkFaults,
  checkOptions,
  type EmulatorClient,
  type EmulatorOptions,
  type EmulatorPath,
  type EmulatorRequest,
  type Fault,
} from "./options.js";

export type { EmulatorClient, EmulatorOptions, EmulatorPath, EmulatorRequest, Fault };

/** A running emulator. */
export interface Emulator extends AsyncDisposable {
  /** Base URL, without a trailing slash. It is also the tokens' issuer and audience. */
  readonly url: string;
  /** The first client. */
  readonly client: { readonly clientId: string; readonly clientSecret: string };
  /** The first customer; where any customer exists, one of them. */
  readonly customerGuid: string;
  /** How often each path was asked, whatever came of it. */
  readonly counts: Readonly<Record<EmulatorPath, number>>;
  /** What was answered, in order; the last 1000. */
  readonly requests: readonly EmulatorRequest[];
  /**
   * Adds faults.
   *
   * @throws {TypeError} naming what is wrong; then none is added
   */
  play(...faults: Fault[]): void;
  /**
   * Signs a token with the emulator's key: a bank token that it accepts, with claims changed or, as `undefined`, left out.
   * `{ aud: "https://elsewhere" }` gives one that it refuses.
   */
  signToken(claims?: Readonly<Record<string, unknown>>): Promise<string>;
  /** Makes every bank token given so far fail with 401 `authentication_failed`. */
  revokeTokens(): void;
  /** Makes a new key, the only one in the key set from then on: bank tokens given so far fail as above. */
  rotateKey(): Promise<void>;
  /** Ends every connection and delay at once, and gives the port back. */
  close(): Promise<void>;
}

const defaultClient: EmulatorClient = { clientId: "emulator-client", clientSecret: "emulator-secret" };
const defaultCustomer = "0123456789abcdef0123456789abcdef";
const maxBodyBytes = 100_000;
/** Bounds the memory of a long run: of the log, and of tokens whose signature need not be checked again. */
const maxKept = 1000;
/** The description's security names the first alone, its text both. */
const requiredScopes = ["customers:write", "customers:read"];

interface Answer {
  status: number;
  body?: unknown;
  headers?: Readonly<Record<string, string>>;
}

interface Claims {
  sub: string;
  sub_type: unknown;
  scope: unknown;
  exp: number;
  jti: string;
}

/** An `error_message` and `message_code` of the service, in its own words. */
function refusal(status: number, message_code: string, error_message: string): Answer {
  return { status, body: { status, error_message, message_code } };
}

const noStore = { "cache-control": "no-store", pragma: "no-cache" };

/** An error of RFC 6749, section 5.2. */
function tokenError(status: 400 | 401, error: string, error_description: string): Answer {
  const challenge = status === 401 && { "www-authenticate": 'Basic realm="emulator"' };
  return { status, body: { error, error_description }, headers: { ...noStore, ...challenge } };
}

async function createKey(algorithm: string) {
  const { privateKey, publicKey } = await generateKeyPair(algorithm);
  const jwk = { ...(await exportJWK(publicKey)), kid: crypto.randomUUID(), alg: algorithm, use: "sig" };
  return { privateKey, publicKey, jwk, verified: new Map<string, Claims>() };
}

/**
 * Starts an identity provider for tests and demonstrations: it speaks the description's two operations and
 * `GET /.well-known/jwks.json`, with real RSA-signed tokens, checks what the service checks, and answers each failure with
 * the documented status, message and code.
 *
 * A body that is not JSON or breaks the description's schema is answered 422 `invalid_parameter`; the service documents no
 * code for it.
 *
 * @throws {TypeError} naming the option that is wrong
 */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  checkOptions(options);
  const {
    host = "127.0.0.1",
    port = 0,
    clients = [defaultClient],
    customers = [defaultCustomer],
    bankTokenLifetimeSeconds = 1800,
    customerTokenLifetimeSeconds = 1800,
    omitExpiresIn = false,
    algorithm = "RS256",
    now = Date.now,
    quotas,
    onRequest,
  } = options;
  const client = clients[0] ?? defaultClient;
  const counts: Record<EmulatorPath, number> = {
    "/oauth/token": 0,
    "/api/customer_tokens": 0,
    "/.well-known/jwks.json": 0,
  };
  const faults: (Fault & { left: number })[] = [];
  const requests: EmulatorRequest[] = [];
  const accepted: Partial<Record<EmulatorPath, number[]>> = {};
  if (options.faults) play(...options.faults);
  const validate = compileSchemas();
  let key = await createKey(algorithm);
  let issued = 0;
  let revoked = 0;
  let url = "";

  function sign(claims: Readonly<Record<string, unknown>>, lifetimeSeconds: number): Promise<string> {
    const iat = Math.floor(now() / 1000);
    const { jwk, privateKey } = key;
    // The number makes each token another one, and tells which of them are revoked.
    const jti = `${++issued}-${jwk.kid}`;
    return new SignJWT({ iss: url, aud: [url], iat, exp: iat + lifetimeSeconds, ...claims, jti })
      .setProtectedHeader({ alg: algorithm, typ: "JWT", kid: jwk.kid })
      .sign(privateKey);
  }

  async function createAccessToken(request: IncomingMessage, text: string): Promise<Answer> {
    const parameters = tokenParameters(request, text);
    if (typeof parameters === "string") return tokenError(400, "invalid_request", parameters);
    const { grant_type, client_id, client_secret, scope } = parameters;
    if (grant_type === undefined) return tokenError(400, "invalid_request", "grant_type is missing");
    if (grant_type !== "client_credentials") {
      return tokenError(400, "unsupported_grant_type", "Only client_credentials is supported");
    }
    const known = clients.find(({ clientId }) => clientId === client_id);
    if (!known || typeof client_secret !== "string" || !same(known.clientSecret, client_secret)) {
      return tokenError(401, "invalid_client", "Client authentication failed");
    }
    if (!validate.accessTokenRequest(parameters)) return tokenError(400, "invalid_request", "scope is not a string");
    const scopes = typeof scope === "string" ? scope.split(" ") : (known.scopes ?? requiredScopes);
    // RFC 6749, section 3.3.
    if (!scopes.every((name) => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(name))) {
      return tokenError(400, "invalid_scope", "The scope is malformed");
    }
    if (known.scopes && !scopes.every((name) => known.scopes?.includes(name))) {
      return tokenError(400, "invalid_scope", "The client may not have this scope");
    }
    const access_token = await sign({ sub: known.clientId, sub_type: "bank", scope: scopes }, bankTokenLifetimeSeconds);
    const expires_in = !omitExpiresIn && { expires_in: bankTokenLifetimeSeconds };
    const body = { access_token, token_type: "Bearer", ...expires_in, scope: scopes.join(" ") };
    return { status: 200, body, headers: noStore };
  }

  async function createCustomerToken(request: IncomingMessage, text: string): Promise<Answer> {
    const header = request.headers.authorization;
    if (header === undefined) return refusal(401, "unauthorized", "Unauthorized");
    const [, jwt] = /^Bearer ([\w.~+/=-]+)$/i.exec(header) ?? [];
    if (jwt === undefined) return refusal(401, "authentication_malformed", "Authorization header is malformed");
    const claims = await verify(jwt);
    if (typeof claims === "string") return refusal(401, "authentication_failed", claims);
    if (claims.sub_type !== "bank") return refusal(401, "invalid_subject", "Invalid Subject type. Required: bank");
    const { scope } = claims;
    const missing = requiredScopes.find((required) => !Array.isArray(scope) || !scope.includes(required));
    if (missing !== undefined) return refusal(403, "invalid_scopes", `Invalid scopes. Required: ${missing}`);
    const body = isJson(request) ? parse(text) : undefined;
    if (!validate.postCustomerToken(body)) {
      const { instancePath = "", message = "is not valid" } = validate.postCustomerToken.errors?.[0] ?? {};
      return refusal(422, "invalid_parameter", `Invalid parameter: ${instancePath.slice(1) || "body"} ${message}`);
    }
    const { customer_guid, scopes } = body as { customer_guid: string; scopes: string[] };
    if (customers !== "any" && !customers.includes(customer_guid)) {
      return refusal(422, "no_customer", "Unknown customer");
    }
    const customer = { sub: customer_guid, sub_type: "customer", scope: scopes };
    return { status: 201, body: { access_token: await sign(customer, customerTokenLifetimeSeconds) } };
  }

  /** A token's claims, or the service's message where it is refused. */
  async function verify(jwt: string): Promise<Claims | string> {
    const { publicKey, verified } = key;
    let claims = verified.get(jwt);
    if (!claims) {
      try {
        const { payload } = await jwtVerify(jwt, publicKey, {
          algorithms: [algorithm],
          issuer: url,
          audience: url,
          requiredClaims: ["exp"],
          currentDate: new Date(now()),
        });
        // The key is the emulator's alone, and so are the claims.
        claims = payload as unknown as Claims;
      } catch (error) {
        if (error instanceof joseErrors.JWTExpired) return "Signature has expired";
        const claim = error instanceof joseErrors.JWTClaimValidationFailed ? error.claim : undefined;
        if (claim === "aud") return "Invalid audience";
        return claim === "iss" ? "Invalid issuer" : "Signature verification raised";
      }
      if (verified.size >= maxKept) verified.clear();
      verified.set(jwt, claims);
    }
    if (claims.exp * 1000 <= now()) return "Signature has expired";
    return Number.parseInt(claims.jti, 10) <= revoked ? "Signature verification raised" : claims;
  }

  const routes: Record<
    EmulatorPath,
    {
      method: "GET" | "POST";
      quota?: number | undefined;
      answer: (request: IncomingMessage, text: string) => Promise<Answer> | Answer;
    }
  > = {
    "/oauth/token": { method: "POST", quota: quotas?.tokenRequests, answer: createAccessToken },
    "/api/customer_tokens": { method: "POST", quota: quotas?.mints, answer: createCustomerToken },
    "/.well-known/jwks.json": { method: "GET", answer: () => ({ status: 200, body: { keys: [key.jwk] } }) },
  };

  /** The gateway's refusal, where a path has been asked too often. */
  function overQuota(path: EmulatorPath): Answer | undefined {
    const { quota } = routes[path];
    if (quota === undefined || !quotas) return undefined;
    const since = now() - quotas.windowSeconds * 1000;
    const recent = (accepted[path] ?? []).filter((timeMs) => timeMs > since);
    accepted[path] = recent;
    const [first = 0] = recent;
    if (recent.length < quota) {
      recent.push(now());
      return undefined;
    }
    const retryAfterSeconds = Math.ceil((first - since) / 1000);
    return { status: 429, body: "Too many requests", headers: { "retry-after": String(retryAfterSeconds) } };
  }

  function play(...more: Fault[]): void {
    checkFaults(more, counts);
    faults.push(...more.map((fault) => ({ ...fault, left: fault.times ?? 1 })));
  }

  /** The fault for the request that was counted last. */
  function takeFault(path: EmulatorPath): Fault | undefined {
    const count = counts[path];
    const ofPath = faults.filter((fault) => fault.path === path);
    const fault =
      ofPath.find(({ nth }) => nth !== undefined && nth <= count) ?? ofPath.find(({ nth }) => nth === undefined);
    if (fault && --fault.left === 0) faults.splice(faults.indexOf(fault), 1);
    return fault;
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "" } = request;
    const [path = ""] = (request.url ?? "").split("?", 1);
    const timeMs = now();
    const log = (status: number, code?: string) => {
      requests.push({ method, path, timeMs, status, code });
      if (requests.length > maxKept) requests.shift();
      onRequest?.({ method, path, timeMs, status, code });
    };
    const send = (answer: Answer, truncateBytes = Infinity) => {
      log(answer.status, codeOf(answer.body));
      write(response, answer, truncateBytes);
    };
    const cut = () => {
      log(0);
      request.socket.resetAndDestroy();
    };

    try {
      if (!Object.hasOwn(routes, path)) return send(refusal(404, "not_found", "Not found"));
      const known = path as EmulatorPath;
      const route = routes[known];
      const allow = `${route.method}, OPTIONS`;
      if (method === "OPTIONS") return send({ status: 204, headers: { allow, ...preflight(allow) } });
      if (method !== route.method) return send({ status: 405, headers: { allow } });

      counts[known]++;
      const fault: Partial<Fault> = takeFault(known) ?? {};
      const { delayMs = 0, reset, status, headers = {}, body, truncateBytes } = fault;
      if (delayMs > 0) await delay(delayMs, response);
      if (reset === "before") return cut();
      const text = await readBody(request);
      if (status !== undefined) return send({ status, body, headers }, truncateBytes);
      if (text === undefined) return send({ status: 413 });
      const answer = overQuota(known) ?? (await route.answer(request, text));
      if (reset === "after") return cut();
      send({ ...answer, headers: { ...answer.headers, ...headers } }, truncateBytes);
    } catch (error) {
      if (!request.socket.destroyed) {
        // A bug, or what onRequest throws: nobody should have to guess, or to wait.
        request.socket.destroy();
        throw error;
      }
      // The client went away, or the emulator is being closed.
      log(0);
    }
  }

  const handling = new Set<Promise<void>>();
  const server = createServer((request, response) => {
    const handled = handle(request, response).finally(() => handling.delete(handled));
    handling.add(handled);
  });
  // Longer than any test thinks, so that no connection ends just as it is used again.
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port, backlog: 4096 }, resolve);
  });
  const { port: actualPort } = server.address() as AddressInfo;
  const address = { "0.0.0.0": "127.0.0.1", "::": "::1" }[host] ?? host;
  url = `http://${address.includes(":") ? `[${address}]` : address}:${actualPort}`;

  const close = async () => {
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
    await Promise.allSettled(handling);
  };
  return {
    url,
    client: { clientId: client.clientId, clientSecret: client.clientSecret },
    customerGuid: customers === "any" ? defaultCustomer : (customers[0] ?? defaultCustomer),
    counts,
    requests,
    play,
    signToken: (claims) =>
      sign({ sub: client.clientId, sub_type: "bank", scope: requiredScopes, ...claims }, bankTokenLifetimeSeconds),
    revokeTokens() {
      revoked = issued;
    },
    async rotateKey() {
      key = await createKey(algorithm);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** The parameters of a token request: JSON as the service documents it, or a form. A string says what is wrong with it. */
function tokenParameters(request: IncomingMessage, text: string): Record<string, unknown> | string {
  if (isJson(request)) {
    const body = parse(text);
    if (typeof body !== "object" || body === null || Array.isArray(body)) return "The body is not a JSON object";
    return given(Object.entries(body));
  }
  if (!hasMediaType(request, "application/x-www-form-urlencoded")) return "The body is neither JSON nor a form";
  const fields = [...new URLSearchParams(text)];
  const form = given(fields);
  if (new Set(fields.map(([name]) => name)).size < fields.length) return "A parameter is given twice";
  const [, credentials] = /^Basic (\S+)$/i.exec(request.headers.authorization ?? "") ?? [];
  if (credentials === undefined) return form;
  // RFC 6749, section 2.3: one method only.
  if (form["client_secret"] !== undefined) return "The client authenticates twice";
  // RFC 6749, section 2.3.1: both halves are form-encoded themselves.
  const [id = "", ...secret] = Buffer.from(credentials, "base64").toString().split(":");
  const decode = (half: string) => new URLSearchParams(`x=${half}`).get("x") ?? "";
  return { ...form, client_id: decode(id), client_secret: decode(secret.join(":")) };
}

/** RFC 6749, section 3.2: a parameter without a value counts as left out. */
function given(parameters: [string, unknown][]): Record<string, unknown> {
  return Object.fromEntries(parameters.filter(([, value]) => value !== ""));
}

function hasMediaType(request: IncomingMessage, mediaType: string): boolean {
  return request.headers["content-type"]?.split(";", 1)[0]?.trim().toLowerCase() === mediaType;
}

function isJson(request: IncomingMessage): boolean {
  return hasMediaType(request, "application/json");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Compares secrets in a time that does not tell where they differ. */
function same(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** The body as text, `undefined` where it is too large: then it is read to its end, but not kept. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length <= maxBodyBytes) chunks.push(chunk);
  }
  return length > maxBodyBytes ? undefined : Buffer.concat(chunks).toString();
}

/** Waits. Rejects as soon as the connection is closed. */
function delay(delayMs: number, response: ServerResponse): Promise<void> {
  return new Promise((resolve, reject) => {
    // A longer timer would fire at once.
    const timer = delayMs < 2 ** 31 ? setTimeout(resolve, delayMs) : undefined;
    response.once("close", () => {
      clearTimeout(timer);
      reject(new Error("the connection is closed"));
    });
  });
}

function preflight(methods: string): Record<string, string> {
  return {
    "access-control-allow-methods": methods,
    // The wildcard does not cover Authorization.
    "access-control-allow-headers": "*, Authorization",
    "access-control-max-age": "600",
  };
}

function write(response: ServerResponse, { status, body, headers }: Answer, truncateBytes: number): void {
  const isText = typeof body === "string";
  const bytes = Buffer.from(body === undefined ? "" : isText ? body : JSON.stringify(body));
  response.statusCode = status;
  response.setHeader("access-control-allow-origin", "*");
  response.setHeader("access-control-expose-headers", "Retry-After, WWW-Authenticate");
  if (body !== undefined) response.setHeader("content-type", isText ? "text/plain; charset=utf-8" : "application/json");
  for (const [name, value] of Object.entries(headers ?? {})) response.setHeader(name, value);
  if (truncateBytes >= bytes.length) {
    response.end(bytes);
    return;
  }
  if (!response.hasHeader("content-length")) response.setHeader("content-length", bytes.length);
  response.write(bytes.subarray(0, truncateBytes), () => response.destroy());
  // Nothing to write means no callback before the headers are out.
  if (truncateBytes === 0) response.flushHeaders();
}

/** What an answer's body calls its failure, in either operation's way. */
function codeOf(body: unknown): string | undefined {
  const { error, message_code } = Object(body) as { error?: unknown; message_code?: unknown };
  const code = error ?? message_code;
  return typeof code === "string" ? code : undefined;
}

function compileSchemas(): Record<"accessTokenRequest" | "postCustomerToken", ValidateFunction> {
  const ajv = new Ajv({ strict: false, validateFormats: false });
  // The description's keywords mean the same in JSON Schema, but for `nullable`, which Ajv knows.
  ajv.addSchema({ $id: "spec", components: { schemas: spec.components.schemas } });
  const compile = (operation: { requestBody: { content: { "application/json": { schema: { $ref: string } } } } }) =>
    ajv.compile({ $ref: `spec${operation.requestBody.content["application/json"].schema.$ref}` });
  return {
    accessTokenRequest: compile(spec.paths["/oauth/token"].post),
    postCustomerToken: compile(spec.paths["/api/customer_tokens"].post),
  };
}
