import type { AccessTokenIdpModel, AccessTokenRequestIdpModel } from "../../generated/models/index.js";
import type { paths } from "../../generated/paths.js";
import type { Auth, Connection } from "./auth.js";
import { TokenRequestError } from "../errors.js";
import { type BankTokenStore, bankTokenCache } from "./bank-token-cache.js";
import { lifetimeMs, requestTimes, type TimedToken } from "./token-lifetime.js";
import {
  anything,
  check,
  checkField,
  checkOptions,
  checkText,
  isFunction,
  printableAscii,
  visibleAscii,
  type Rules,
} from "../validate.js";
import { decode, parseJson } from "../http/body.js";
import { errorHeaders } from "../http/redact.js";
import { httpDateMs, invalidResponse } from "../http/response.js";
import { runCall } from "../http/deadline.js";

/** Options of {@link clientCredentials}. */
export interface ClientCredentialsOptions {
  /** The bank's client id. */
  clientId: string;
  /** The bank's client secret. It belongs in a backend only. */
  clientSecret: string;
  /**
   * Scopes of the bank token.
   *
   * @default ["customers:read", "customers:write"], which `createCustomerToken` needs
   */
  scopes?: readonly string[] | undefined;
  /** Shares the bank token between processes: `sharedStore(…)` of `cybrid-customer-tokens/store`. Default: none. */
  store?: BankTokenStore | undefined;
}

const isScope = (scope: unknown) => typeof scope === "string" && visibleAscii.test(scope);
const rules: Rules<ClientCredentialsOptions> = {
  clientId: anything,
  clientSecret: anything,
  scopes: [
    "an array of at least one scope, each without spaces",
    (scopes) => Array.isArray(scopes) && scopes.length > 0 && scopes.every(isScope),
  ],
  store: ["sharedStore(…) of cybrid-customer-tokens/store", isFunction],
};

/**
 * Authenticates as the bank: requests a bank token from `POST /oauth/token` of the API's own host (RFC 6749, section 4.4),
 * shares it between all calls, and renews it before it expires.
 *
 * @throws {InvalidArgumentError} if an option is missing or malformed, and in a browser, since no secret is safe there
 */
export function clientCredentials(options: ClientCredentialsOptions): Auth {
  checkOptions(options, rules);
  const { clientId, clientSecret, scopes = ["customers:read", "customers:write"], store } = options;
  check(
    !isBrowser(),
    "auth",
    "a backend, since everybody can read a client secret in a browser or an app (tests with jsdom or happy-dom need " +
      "the comment `@vitest-environment node` or `@jest-environment node`)",
  );
  checkText(clientId, printableAscii, "clientId", "a string of printable ASCII");
  checkText(clientSecret, printableAscii, "clientSecret", "a string of printable ASCII");
  return (connection) => {
    const body: AccessTokenRequestIdpModel = {
      grant_type: "client_credentials",
      client_id: clientId,
      client_secret: clientSecret,
      scope: scopes.join(" "),
    };
    const identity = [connection.baseUrl, clientId, ...[...scopes].sort()];
    const shared = store?.({ ...connection, identity });
    if (store) checkField(shared?.requestToken, "store", rules.store);
    const cache = bankTokenCache({
      ...connection,
      request: (timeoutMs, earlierAttempts) => requestToken(connection, body, timeoutMs, earlierAttempts),
      shared,
    });
    return { ...cache, clientId, secrets: [clientSecret] };
  };
}

/** A program on Node may define a `window`, but no `document`. React Native has a `window` only. */
function isBrowser(): boolean {
  const { navigator } = globalThis as { navigator?: { product?: unknown } };
  return ("window" in globalThis && "document" in globalThis) || navigator?.product === "ReactNative";
}

/** Sends one token request (RFC 6749, section 4.4.2) and does not retry it: the quota rule decides about that. */
function requestToken(
  connection: Connection,
  body: AccessTokenRequestIdpModel,
  timeoutMs: number,
  earlierAttempts: number,
) {
  const { baseUrl, send, clock } = connection;
  const path = "/oauth/token" satisfies keyof paths;
  const times = requestTimes(clock);

  return runCall(clock, { timeoutMs, secrets: [body.client_secret] }, async (call): Promise<TimedToken> => {
    call.attempts = earlierAttempts;
    const headers = new Headers(connection.headers);
    headers.set("content-type", "application/json");
    const init = { method: "POST", headers, body: JSON.stringify(body) };
    const { response, bytes } = await send({ input: `${baseUrl}${path}`, init }, call, { maxRetries: 0 });
    if (!bytes) {
      const headers = errorHeaders(response.headers, call);
      // The quota rule says when the next one may follow.
      const details = { status: response.status, headers, attempts: call.attempts, retryAfterSeconds: 0 };
      throw new TokenRequestError(parseJson(await response.text()), details);
    }
    const text = decode(bytes);
    const { access_token: value, token_type, expires_in } = Object(parseJson(text)) as Partial<AccessTokenIdpModel>;
    // A token type is compared without regard to case (RFC 6749, section 5.1).
    const isBearer = token_type === undefined || String(token_type).toLowerCase() === "bearer";
    if (typeof value !== "string" || !visibleAscii.test(value) || !isBearer) {
      throw invalidResponse("expected a bearer token from the token endpoint", response, call, text);
    }
    // Some servers send the number as a string (RFC 6749, section 5.1, wants a number of seconds).
    const statedMs = ["number", "string"].includes(typeof expires_in) ? Number(expires_in) * 1000 : NaN;
    const issuedAt = httpDateMs(response.headers.get("date")) ?? times.requestedAtWall;
    return { value, ...times, lifetimeMs: lifetimeMs(value, statedMs, issuedAt), isShared: false };
  });
}
