import type { AccessTokenIdpModel, AccessTokenRequestIdpModel } from "../../generated/models/index.js";
import type { paths } from "../../generated/paths.js";
import type { Auth, Connection } from "./auth.js";
import { InvalidArgumentError, TokenRequestError } from "../errors.js";
import { jwtClaims, numericDate } from "./jwt.js";
import { askedWaitSeconds } from "./quota.js";
import { type BankToken, type BankTokenStore, tokenCache, type TokenRequest } from "./bank-token-cache.js";
import type { Clock } from "../http/clock.js";
import { checkFields, printableAscii, visibleAscii } from "../validate.js";
import { decode, readWhole } from "../http/body.js";
import { parseJson } from "../http/json.js";
import { invalidResponse } from "../http/response.js";
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
   * @default ["customers:read", "customers:write"], what `createCustomerToken` needs
   */
  scopes?: readonly string[] | undefined;
  /** Shares the bank token between processes: `sharedStore(…)` of `cybrid-customer-tokens/store`. Default: none. */
  store?: BankTokenStore | undefined;
}

/**
 * Authenticates as the bank: asks `POST /oauth/token` of the API's own host for a bank token (RFC 6749, section 4.4),
 * keeps it for the life of the client, and renews it ahead of its expiry.
 *
 * @throws {InvalidArgumentError} where an option is missing or malformed, and in a browser, where no secret is safe
 */
export function clientCredentials(options: ClientCredentialsOptions): Auth {
  checkFields("options", options, ["clientId", "clientSecret", "scopes", "store"]);
  const { clientId, clientSecret, scopes = ["customers:read", "customers:write"], store } = options;
  if (isBrowser()) {
    throw new InvalidArgumentError(
      "auth",
      "a backend, since everybody can read a client secret in a browser or an app (tests with jsdom or happy-dom need " +
        "the comment `@vitest-environment node` or `@jest-environment node`)",
    );
  }
  for (const [field, value] of Object.entries({ clientId, clientSecret })) {
    if (typeof value !== "string" || !printableAscii.test(value)) {
      throw new InvalidArgumentError(field, "a string of printable ASCII", value === "" ? "nothing" : undefined);
    }
  }
  const isScope = (scope: unknown) => typeof scope === "string" && visibleAscii.test(scope);
  if (!Array.isArray(scopes) || scopes.length === 0 || !scopes.every(isScope)) {
    throw new InvalidArgumentError("scopes", "an array of at least one scope, each without spaces");
  }
  if (store !== undefined && typeof store !== "function") {
    throw new InvalidArgumentError("store", "sharedStore(…) of cybrid-customer-tokens/store");
  }
  return (connection) => {
    const { baseUrl, clock, random, timeoutMs } = connection;
    const body: AccessTokenRequestIdpModel = {
      grant_type: "client_credentials",
      client_id: clientId,
      client_secret: clientSecret,
      scope: scopes.join(" "),
    };
    const identity = [baseUrl, clientId, ...[...scopes].sort()];
    const cache = tokenCache({
      ...connection,
      request: (details) => requestToken(connection, body, details),
      shared: store?.({ identity, timeoutMs, clock, random }),
    });
    return { ...cache, clientId, secrets: [clientSecret] };
  };
}

/** Programs on Node may define a `window`, but not a `document` beside it. React Native has a `window` alone. */
function isBrowser(): boolean {
  const { navigator } = globalThis as { navigator?: { product?: unknown } };
  return ("window" in globalThis && "document" in globalThis) || navigator?.product === "ReactNative";
}

/** Sends one token request (RFC 6749, section 4.4.2), and never tries again: that is for the quota rule to say. */
function requestToken(connection: Connection, body: AccessTokenRequestIdpModel, details: TokenRequest) {
  const { baseUrl, send, clock } = connection;
  const { timeoutMs, earlierAttempts, spacingSeconds } = details;
  const path = "/oauth/token" satisfies keyof paths;
  const requestedAt = clock.monotonic();
  const requestedOn = clock.now();

  return runCall(clock, { timeoutMs, secrets: [body.client_secret] }, async (call): Promise<BankToken> => {
    call.attempts = earlierAttempts;
    const headers = new Headers(connection.headers);
    headers.set("content-type", "application/json");
    const init = { method: "POST", headers, body: JSON.stringify(body) };
    const response = await send({ input: `${baseUrl}${path}`, init, maxRetries: 0 }, call);
    const text = decode(await readWhole(response, call));
    const answer = parseJson(text);
    if (!response.ok) {
      const { status, headers } = response;
      const askedSeconds = askedWaitSeconds(status, headers, clock);
      const retryAfterSeconds = Math.max(askedSeconds, spacingSeconds);
      throw new TokenRequestError(answer, { status, headers, attempts: call.attempts, retryAfterSeconds });
    }
    const { access_token, token_type, expires_in } = (answer ?? {}) as Partial<AccessTokenIdpModel>;
    // A token type is compared without regard to case (RFC 6749, section 5.1).
    const isBearer = token_type === undefined || String(token_type).toLowerCase() === "bearer";
    if (typeof access_token !== "string" || !visibleAscii.test(access_token) || !isBearer) {
      throw invalidResponse("expected a bearer token from the token endpoint", response, call, text);
    }
    const life = lifetimeMs(access_token, expires_in, clock);
    return { value: access_token, requestedAt, requestedOn, lifetimeMs: life, isShared: false };
  });
}

/**
 * A token's lifetime: what `expires_in` says (RFC 6749, section 5.1), else what the JWT does, else unlimited. Both ends
 * are the server's own where it states them, so that a wrong clock here does no harm.
 */
function lifetimeMs(token: string, expiresIn: unknown, clock: Clock): number {
  // Some servers send the number as a string.
  const stated = typeof expiresIn === "number" || typeof expiresIn === "string" ? Number(expiresIn) * 1000 : NaN;
  if (stated > 0) return stated;
  const claims = jwtClaims(token);
  const fromClaims = (numericDate(claims?.["exp"]) ?? NaN) - (numericDate(claims?.["iat"]) ?? clock.now());
  return fromClaims > 0 ? fromClaims : Infinity;
}
