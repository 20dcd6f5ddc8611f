import type { PostCustomerTokenIdpModel } from "../../generated/models/index.js";
import type { operations } from "../../generated/paths.js";
import { bodyChecks, described } from "./description.js";
import { isObject } from "../validate.js";
import { apiError, noStore, type Reply, tokenError } from "./replies.js";
import type { Tokens } from "./tokens.js";
import type { EmulatorClient, EmulatorOptions } from "./types.js";

/** A request, as the functions below get it. */
export interface ReceivedRequest {
  method: string;
  /** Values of the path's parameters, decoded. */
  parameters: Readonly<Record<string, string>>;
  query: URLSearchParams;
  authorization: string | undefined;
  /** In lower case, without parameters. */
  mediaType: string | undefined;
  text: string;
  /** The text as JSON; `undefined` if it is not JSON. */
  body: unknown;
}

export type Respond = (request: ReceivedRequest) => Reply | Promise<Reply>;

/** The functions that respond, by path and method. */
export type Routes = Record<string, Record<string, Respond | undefined>>;

const defaultClient: EmulatorClient = { clientId: "emulator-client", clientSecret: "emulator-secret" };
const defaultCustomer = "0123456789abcdef0123456789abcdef";
/** Scopes that creating a customer token needs. */
const requiredScopes = ["customers:write", "customers:read"];

/** Responds to each operation of the description. */
export function createOperations(options: EmulatorOptions, tokens: Tokens) {
  const { clients = [defaultClient], customers = [defaultCustomer], omitExpiresIn } = options;
  const { bankTokenLifetimeSeconds = 1800, customerTokenLifetimeSeconds = 1800 } = options;
  const [{ clientId, clientSecret } = defaultClient] = clients;
  const [customerGuid = defaultCustomer] = customers === "any" ? [] : customers;

  /**
   * The operations that the emulator implements, by operationId. Their paths and methods come from the description. To add one,
   * write its function here:
   *
   * ```ts
   * async getUser({ authorization, parameters: { user_guid } }) {
   *   await tokens.requireBankToken(authorization, "users:read"); // otherwise 401 or 403, in the service's words
   *   if (user_guid !== user.guid) throw apiError(404, "not_found", "Not found");
   *   return { status: 200, body: user };
   * },
   * ```
   *
   * `requireBody(request, "createUser")` returns the body once it has been checked against the description.
   */
  const implemented: { [id in keyof operations]?: Respond } & Record<string, Respond | undefined> = {
    async createAccessToken(request) {
      const { grant_type, scope, credentials } = readTokenRequest(request);
      if (grant_type !== "client_credentials") {
        throw tokenError(400, "unsupported_grant_type", "Only client_credentials is supported");
      }
      const client = clients.find(({ clientId, clientSecret }) =>
        credentials.some(([id, secret]) => id === clientId && secret === clientSecret),
      );
      if (!client) throw tokenError(401, "invalid_client", "Client authentication failed");
      const scopes = scope?.split(" ") ?? client.scopes ?? requiredScopes;
      // RFC 6749, section 3.3.
      if (!scopes.every((name) => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(name))) {
        throw tokenError(400, "invalid_scope", "The scope is malformed");
      }
      if (client.scopes && !scopes.every((name) => client.scopes?.includes(name))) {
        throw tokenError(400, "invalid_scope", "The client may not have this scope");
      }
      const bank = { sub: client.clientId, sub_type: "bank", scope: scopes };
      const access_token = await tokens.sign(bank, bankTokenLifetimeSeconds);
      const expires_in = !omitExpiresIn && { expires_in: bankTokenLifetimeSeconds };
      const body = { access_token, token_type: "Bearer", ...expires_in, scope: scopes.join(" ") };
      return { status: 200, body, headers: noStore };
    },

    async createCustomerToken(request) {
      await tokens.requireBankToken(request.authorization, ...requiredScopes);
      const { customer_guid, scopes } = requireBody<PostCustomerTokenIdpModel>(request, "createCustomerToken");
      if (customers !== "any" && !customers.includes(customer_guid)) {
        throw apiError(422, "no_customer", "Unknown customer");
      }
      const customer = { sub: customer_guid, sub_type: "customer", scope: scopes };
      return { status: 201, body: { access_token: await tokens.sign(customer, customerTokenLifetimeSeconds) } };
    },
  };

  const routes: Routes = {
    "/.well-known/jwks.json": { GET: tokens.keys },
    "/.well-known/openid-configuration": { GET: tokens.metadata },
    "/.well-known/oauth-authorization-server": { GET: tokens.metadata },
    // For tools that wait for a server to be up, such as wait-on.
    "/": { GET: () => ({ status: 200, body: "Emulator of the Cybrid Identity API, for tests only\n" }) },
  };
  for (const { path, method, operationId } of described) {
    const message = `The emulator does not implement ${operationId}; a fault can respond in its place`;
    const notImplemented = apiError(501, "not_implemented", message).reply;
    routes[path] = { ...routes[path], [method]: implemented[operationId] ?? (() => notImplemented) };
  }

  return {
    client: { clientId, clientSecret },
    customerGuid,
    routes,
    signToken: (claims: Readonly<Record<string, unknown>> = {}) =>
      tokens.sign({ sub: clientId, sub_type: "bank", scope: requiredScopes, ...claims }, bankTokenLifetimeSeconds),
  };
}

/**
 * Checks a request's body against the description. The service documents no code for a body that breaks it.
 *
 * @throws {Refusal} 422 `invalid_parameter`
 */
function requireBody<Body>({ mediaType, body }: ReceivedRequest, operationId: keyof operations): Body {
  const invalid = (what: string) => apiError(422, "invalid_parameter", `Invalid parameter: ${what}`);
  if (mediaType !== "application/json") throw invalid("Content-Type must be application/json");
  if (body === undefined) throw invalid("body must be JSON");
  const check = bodyChecks[operationId];
  if (!check) throw new Error(`the description has no schema of a JSON body for ${operationId}`);
  if (check(body)) return body as Body;
  const { instancePath = "", message = "is not valid" } = check.errors?.[0] ?? {};
  throw invalid(`${instancePath.slice(1) || "body"} ${message}`);
}

/**
 * Reads a token request: JSON as the service documents it, or a form, with the client in the body or in HTTP Basic.
 *
 * @returns its parameters, and the credentials that may be meant
 * @throws {Refusal} `invalid_request`
 */
function readTokenRequest({ authorization, mediaType, text, body }: ReceivedRequest) {
  const invalid = (what: string) => tokenError(400, "invalid_request", what);
  const form = mediaType === "application/x-www-form-urlencoded" ? new URLSearchParams(text) : undefined;
  if (!form && mediaType !== "application/json") {
    throw invalid("Content-Type must be application/json or application/x-www-form-urlencoded");
  }
  const fields = form ? Object.fromEntries(form) : body;
  if (!isObject(fields)) throw invalid("The body is not a JSON object");
  if (form && form.size > Object.keys(fields).length) throw invalid("A parameter is given twice");
  // RFC 6749, section 3.2: a parameter without a value counts as left out.
  const parameters = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ""));
  const { grant_type, scope, client_id, client_secret } = parameters;
  if (grant_type === undefined) throw invalid("grant_type is missing");
  if (scope !== undefined && typeof scope !== "string") throw invalid("scope is not a string");
  const [, basic] = /^Basic (\S+)$/i.exec(authorization ?? "") ?? [];
  if (basic === undefined) return { grant_type, scope, credentials: [[client_id, client_secret]] };
  const [id = "", ...secret] = Buffer.from(basic, "base64").toString().split(":");
  const raw = [id, secret.join(":")];
  // RFC 6749, section 2.3.1 wants both halves form-encoded; curl and many libraries send them as they are.
  const decoded = raw.map((half) => new URLSearchParams(`x=${half}`).get("x"));
  const credentials = [decoded, raw];
  // RFC 6749, section 2.3: one method only. A client_id in the body does no harm if it is the same.
  if (client_secret !== undefined) throw invalid("The client authenticates twice");
  const same = client_id === undefined || credentials.some(([named]) => named === client_id);
  if (!same) throw invalid("client_id differs from the client in the Authorization header");
  return { grant_type, scope, credentials };
}
