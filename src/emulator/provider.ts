import { Ajv } from "ajv";
import { exportJWK, generateKeyPair, type JWTPayload, jwtVerify, SignJWT, errors as joseErrors } from "jose";
import { spec } from "../../generated/emulator/spec.js";
import { type EmulatorClient, type EmulatorOptions, isObject } from "./options.js";

/** What an answer depends on. */
export interface ReceivedRequest {
  authorization: string | undefined;
  /** In lower case, without parameters. */
  mediaType: string | undefined;
  text: string;
}

export interface Answer {
  status: number;
  body?: unknown;
  headers?: Readonly<Record<string, string>>;
}

/** Scopes that the endpoint wants of a bank token. The security of the description names the first one only, its text both. */
const requiredScopes = ["customers:write", "customers:read"];
const defaultClient: EmulatorClient = { clientId: "emulator-client", clientSecret: "emulator-secret" };
const defaultCustomer = "0123456789abcdef0123456789abcdef";
const noStore = { "cache-control": "no-store", pragma: "no-cache" };

/** An error of RFC 6749, section 5.2. */
function tokenError(status: 400 | 401, error: string, error_description: string): Answer {
  const challenge = status === 401 && { "www-authenticate": 'Basic realm="emulator"' };
  return { status, body: { error, error_description }, headers: { ...noStore, ...challenge } };
}

/** An error of the API in the service's own words, with the challenge of RFC 6750, section 3 where one is due. */
function apiError(status: number, message_code: string, error_message: string, error?: string): Answer {
  const challenge = `Bearer realm="emulator"${error === undefined ? "" : `, error="${error}"`}`;
  const headers = [401, 403].includes(status) && { "www-authenticate": challenge };
  return { status, body: { status, error_message, message_code }, headers: { ...headers } };
}

export const notFound = apiError(404, "not_found", "Not found");

async function createKey(algorithm: string) {
  const { privateKey, publicKey } = await generateKeyPair(algorithm);
  const jwk = { ...(await exportJWK(publicKey)), kid: crypto.randomUUID(), alg: algorithm, use: "sig" };
  return { privateKey, publicKey, jwk };
}

/** The identity provider behind the server: issues tokens, checks them, and tells how it is to be verified. */
export async function createProvider(options: EmulatorOptions) {
  const { clients = [defaultClient], customers = [defaultCustomer], algorithm = "RS256", now = Date.now } = options;
  const { bankTokenLifetimeSeconds = 1800, customerTokenLifetimeSeconds = 1800, omitExpiresIn } = options;
  const [{ clientId, clientSecret } = defaultClient] = clients;
  const [customerGuid = defaultCustomer] = customers === "any" ? [] : customers;
  const validateRequest = compileRequestSchema();
  let key = await createKey(algorithm);
  let issuer = options.issuer ?? "";
  let issued = 0;
  let revoked = 0;

  function sign(claims: Readonly<Record<string, unknown>>, lifetimeSeconds: number): Promise<string> {
    const iat = Math.floor(now() / 1000);
    const { jwk, privateKey } = key;
    // The number makes each token unique, and tells which ones are revoked.
    const jti = `${++issued}-${jwk.kid}`;
    return new SignJWT({ iss: issuer, aud: [issuer], iat, exp: iat + lifetimeSeconds, ...claims, jti })
      .setProtectedHeader({ alg: algorithm, typ: "JWT", kid: jwk.kid })
      .sign(privateKey);
  }

  /** A bank token's claims, or the service's message where it refuses the token. */
  async function verify(jwt: string): Promise<JWTPayload | string> {
    try {
      const { payload } = await jwtVerify(jwt, key.publicKey, {
        algorithms: [algorithm],
        issuer,
        audience: issuer,
        requiredClaims: ["exp"],
        currentDate: new Date(now()),
      });
      const { exp = 0, jti = "" } = payload;
      // jose counts in whole seconds.
      if (exp * 1000 <= now()) return "Signature has expired";
      return Number.parseInt(jti, 10) <= revoked ? "Signature verification raised" : payload;
    } catch (error) {
      if (error instanceof joseErrors.JWTExpired) return "Signature has expired";
      const claim = error instanceof joseErrors.JWTClaimValidationFailed ? error.claim : undefined;
      if (claim === "aud") return "Invalid audience";
      return claim === "iss" ? "Invalid issuer" : "Signature verification raised";
    }
  }

  return {
    client: { clientId, clientSecret },
    customerGuid,

    /** Sets the issuer where the options name none: it is known once the server listens. */
    setUrl(url: string): void {
      issuer ||= url;
    },

    signToken: (claims: Readonly<Record<string, unknown>> = {}) =>
      sign({ sub: clientId, sub_type: "bank", scope: requiredScopes, ...claims }, bankTokenLifetimeSeconds),

    revokeTokens(): void {
      revoked = issued;
    },

    async rotateKey(): Promise<void> {
      key = await createKey(algorithm);
    },

    keys: (): Answer => ({ status: 200, body: { keys: [key.jwk] } }),

    /** RFC 8414, section 2, and OpenID Connect Discovery 1.0, section 3. */
    metadata(): Answer {
      const base = issuer.replace(/\/+$/, "");
      return {
        status: 200,
        body: {
          issuer,
          token_endpoint: `${base}/oauth/token`,
          jwks_uri: `${base}/.well-known/jwks.json`,
          grant_types_supported: ["client_credentials"],
          token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post"],
          response_types_supported: [],
          subject_types_supported: ["public"],
          id_token_signing_alg_values_supported: [algorithm],
        },
      };
    },

    async createAccessToken(request: ReceivedRequest): Promise<Answer> {
      const read = readTokenRequest(request);
      if (typeof read === "string") return tokenError(400, "invalid_request", read);
      const { grant_type, scope, credentials } = read;
      if (grant_type !== "client_credentials") {
        return tokenError(400, "unsupported_grant_type", "Only client_credentials is supported");
      }
      const known = clients.find(({ clientId, clientSecret }) =>
        credentials.some(([id, secret]) => id === clientId && secret === clientSecret),
      );
      if (!known) return tokenError(401, "invalid_client", "Client authentication failed");
      const scopes = scope?.split(" ") ?? known.scopes ?? requiredScopes;
      // RFC 6749, section 3.3.
      if (!scopes.every((name) => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(name))) {
        return tokenError(400, "invalid_scope", "The scope is malformed");
      }
      if (known.scopes && !scopes.every((name) => known.scopes?.includes(name))) {
        return tokenError(400, "invalid_scope", "The client may not have this scope");
      }
      const bank = { sub: known.clientId, sub_type: "bank", scope: scopes };
      const access_token = await sign(bank, bankTokenLifetimeSeconds);
      const expires_in = !omitExpiresIn && { expires_in: bankTokenLifetimeSeconds };
      const body = { access_token, token_type: "Bearer", ...expires_in, scope: scopes.join(" ") };
      return { status: 200, body, headers: noStore };
    },

    async createCustomerToken({ authorization, mediaType, text }: ReceivedRequest): Promise<Answer> {
      if (authorization === undefined) return apiError(401, "unauthorized", "Unauthorized");
      const [, jwt] = /^Bearer ([\w.~+/=-]+)$/i.exec(authorization) ?? [];
      if (jwt === undefined) {
        return apiError(401, "authentication_malformed", "Authorization header is malformed", "invalid_request");
      }
      const claims = await verify(jwt);
      if (typeof claims === "string") return apiError(401, "authentication_failed", claims, "invalid_token");
      const { sub_type, scope } = claims;
      if (sub_type !== "bank") {
        return apiError(401, "invalid_subject", "Invalid Subject type. Required: bank", "invalid_token");
      }
      const missing = requiredScopes.find((required) => !Array.isArray(scope) || !scope.includes(required));
      if (missing !== undefined) {
        return apiError(403, "invalid_scopes", `Invalid scopes. Required: ${missing}`, "insufficient_scope");
      }
      const invalid = (what: string) => apiError(422, "invalid_parameter", `Invalid parameter: ${what}`);
      if (mediaType !== "application/json") return invalid("Content-Type must be application/json");
      const body = parse(text);
      if (body === undefined) return invalid("body must be JSON");
      if (!validateRequest(body)) {
        const { instancePath = "", message = "is not valid" } = validateRequest.errors?.[0] ?? {};
        return invalid(`${instancePath.slice(1) || "body"} ${message}`);
      }
      const { customer_guid, scopes } = body;
      if (customers !== "any" && !customers.includes(customer_guid)) {
        return apiError(422, "no_customer", "Unknown customer");
      }
      const customer = { sub: customer_guid, sub_type: "customer", scope: scopes };
      return { status: 201, body: { access_token: await sign(customer, customerTokenLifetimeSeconds) } };
    },
  };
}

export type Provider = Awaited<ReturnType<typeof createProvider>>;

/**
 * Reads a token request: JSON as the service documents it, or a form, with the client in the body or in HTTP Basic.
 *
 * @returns its parameters, and the credentials that may be meant; or what is invalid
 */
function readTokenRequest({ authorization, mediaType, text }: ReceivedRequest) {
  const form = mediaType === "application/x-www-form-urlencoded" ? new URLSearchParams(text) : undefined;
  if (!form && mediaType !== "application/json") {
    return "Content-Type must be application/json or application/x-www-form-urlencoded";
  }
  const fields = form ? Object.fromEntries(form) : parse(text);
  if (!isObject(fields)) return "The body is not a JSON object";
  if (form && form.size > Object.keys(fields).length) return "A parameter is given twice";
  // RFC 6749, section 3.2: a parameter without a value counts as left out.
  const parameters = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ""));
  const { grant_type, scope, client_id, client_secret } = parameters;
  if (grant_type === undefined) return "grant_type is missing";
  if (scope !== undefined && typeof scope !== "string") return "scope is not a string";
  const [, basic] = /^Basic (\S+)$/i.exec(authorization ?? "") ?? [];
  if (basic === undefined) return { grant_type, scope, credentials: [[client_id, client_secret]] };
  const [id = "", ...secret] = Buffer.from(basic, "base64").toString().split(":");
  const raw = [id, secret.join(":")];
  // RFC 6749, section 2.3.1 wants both halves form-encoded; curl and many libraries send them as they are.
  const decoded = raw.map((half) => new URLSearchParams(`x=${half}`).get("x"));
  const credentials = [decoded, raw];
  // RFC 6749, section 2.3: one method only. A client_id beside it does no harm if it is the same.
  if (client_secret !== undefined) return "The client authenticates twice";
  const same = client_id === undefined || credentials.some(([named]) => named === client_id);
  return same ? { grant_type, scope, credentials } : "client_id is not the client of HTTP Basic";
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function compileRequestSchema() {
  const ajv = new Ajv({ strict: false, validateFormats: false });
  // The description's keywords mean the same in JSON Schema, but for `nullable`, which Ajv knows.
  ajv.addSchema({ $id: "spec", components: { schemas: spec.components.schemas } });
  const { schema } = spec.paths["/api/customer_tokens"].post.requestBody.content["application/json"];
  return ajv.compile<{ customer_guid: string; scopes: string[] }>({ $ref: `spec${schema.$ref}` });
}
