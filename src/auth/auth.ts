import type { AccessTokenIdpModel, AccessTokenRequestIdpModel } from "../../generated/models/index.js";
import type { paths } from "../../generated/paths.js";
import { InvalidArgumentError, InvalidResponseError, TokenRequestError } from "../errors.js";
import { jwtClaims, numericDate } from "./jwt.js";
import type { Clock } from "../http/clock.js";
import type { HeadersInit, Send } from "../http/send.js";
import type { TokenProvider } from "../http/call.js";
import { checkFields, printableAscii, visibleAscii } from "../validate.js";
import { invalidResponse, parseJson, readBody, retryAfterSeconds } from "../http/response.js";
import { retryAfterCapSeconds } from "../http/send.js";
import { runCall } from "../http/call.js";

/** How a client authenticates: made by {@link bearer} or {@link clientCredentials}, and opaque otherwise. */
export type Auth = (connection: Connection) => TokenProvider;

/** What a client lends its authentication. */
interface Connection {
  /** Base URL of the API, without a trailing slash. */
  baseUrl: string;
  /** Time that a token request has, in milliseconds. */
  timeoutMs: number;
  /** Headers of every request. */
  headers: HeadersInit | undefined;
  send: Send;
  clock: Clock;
  random: () => number;
}

/**
 * Authenticates with a bank token that the caller holds (RFC 6750).
 *
 * @param token The token, without `Bearer `; or a function that gives it, called once per attempt, whose own errors
 *   reach the caller as they are
 * @throws {InvalidArgumentError} where the token is empty or cannot stand in a header
 */
export function bearer(token: string | (() => string | Promise<string>)): Auth {
  if (typeof token === "function") {
    return () => ({ token: async () => bearerToken(await token()) });
  }
  const checked = bearerToken(token);
  return () => ({ token: () => checked });
}

function bearerToken(token: unknown): string {
  if (typeof token === "string" && visibleAscii.test(token)) return token;
  const got = typeof token !== "string" ? typeof token : token === "" ? "nothing" : undefined;
  throw new InvalidArgumentError("token", "a bank token of visible ASCII, without 'Bearer ' before it", got);
}

/** Options of {@link clientCredentials}. */
export interface ClientCredentialsOptions {
  /** The bank's client id. */
  clientId: string;
  /** The bank's client secret. It belongs into a backend only. */
  clientSecret: string;
  /**
   * Scopes of the bank token.
   *
   * @default ["customers:read", "customers:write"], what `createCustomerToken` needs
   */
  scopes?: readonly string[];
  /** Shares the bank token between processes: `sharedStore(…)` of `cybrid-customer-tokens/store`. Default: none. */
  store?: BankTokenStore;
}

/** Puts a store before the token endpoint: made by `sharedStore`, and opaque otherwise. */
export type BankTokenStore = (endpoint: TokenEndpoint) => BankTokens;

/** The token endpoint, as lent to a store. */
interface TokenEndpoint {
  /** Asks for a new token, within `timeoutMs` milliseconds: one request, but for retries. */
  request(timeoutMs: number): Promise<BankToken>;
  /** What a token is for: it must not serve for another host, client or set of scopes. */
  readonly identity: readonly string[];
  /** Time that a token request has, in milliseconds. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly random: () => number;
}

/** Where a process gets its bank tokens from. */
interface BankTokens {
  /**
   * Gives a token.
   *
   * @param known A token that has expired, is about to, or was refused: it must not come back, nor any requested before it
   * @param timeoutMs Time that a token request has
   */
  obtain(known: BankToken | undefined, timeoutMs: number): Promise<BankToken>;
  /** Gives a token that another process has obtained since, without asking the token endpoint. */
  find?(known: BankToken | undefined): Promise<BankToken | undefined>;
}

/** A bank token and its life, on the monotonic clock. */
export interface BankToken {
  readonly value: string;
  /** When it was asked for, in milliseconds: the start of its life, on the safe side. */
  readonly requestedAt: number;
  /** Milliseconds from then to its expiry; `Infinity` where nobody states one. */
  readonly lifetimeMs: number;
}

/**
 * For so long a refused token request is remembered, and a token that never worked is not renewed. With two retries that
 * is at most 15 token requests in the five minutes in which the service allows 20.
 */
const cooldownSeconds = 60;

// A token is renewed while it still serves, when about three quarters of its life have passed. The spread keeps the
// processes of a fleet from renewing at once.
const renewalShare = { earliest: 0.7, spread: 0.1 };

/**
 * Authenticates as the bank: asks `POST /oauth/token` of the API's own host for a bank token (RFC 6749, section 4.4),
 * keeps it for the life of the client, and renews it ahead of its expiry.
 *
 * @throws {InvalidArgumentError} where an option is missing or malformed, and in a browser, where no secret is safe
 */
export function clientCredentials(options: ClientCredentialsOptions): Auth {
  checkFields("options", options, ["clientId", "clientSecret", "scopes", "store"]);
  const { clientId, clientSecret, scopes = ["customers:read", "customers:write"], store } = options;
  if ("window" in globalThis && "document" in globalThis) {
    throw new InvalidArgumentError("auth", "a backend: in a browser, everybody could read the client secret");
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
    throw new InvalidArgumentError(
      "store",
      "sharedStore(…) of cybrid-customer-tokens/store around the key-value store",
    );
  }
  return (connection) => {
    const { baseUrl, clock, random, timeoutMs } = connection;
    const body: AccessTokenRequestIdpModel = {
      grant_type: "client_credentials",
      client_id: clientId,
      client_secret: clientSecret,
      scope: scopes.join(" "),
    };
    const request = (requestTimeoutMs: number) => requestToken(connection, body, requestTimeoutMs);
    const identity = [baseUrl, clientId, ...[...scopes].sort()];
    const tokens = store?.({ request, identity, timeoutMs, clock, random }) ?? {
      obtain: (_, requestTimeoutMs) => request(requestTimeoutMs),
    };
    return { ...tokenCache(tokens, connection), secrets: [clientSecret] };
  };
}

/** Keeps one token for all calls; replaces it by one request at a time. */
function tokenCache(tokens: BankTokens, { clock, random, timeoutMs }: Connection): TokenProvider {
  let current: (BankToken & { renewAt: number; workedAt?: number }) | undefined;
  let flight: Promise<() => string> | undefined;
  let refusal: { error: Error; until: number } | undefined;

  function keep(token: BankToken): string {
    const share = renewalShare.earliest + renewalShare.spread * random();
    current = { ...token, renewAt: token.requestedAt + token.lifetimeMs * share };
    refusal = undefined;
    return token.value;
  }

  /** Gets a token, unless the endpoint has lately refused. */
  async function obtain(known: BankToken | undefined, flightMs: number): Promise<BankToken> {
    if (refusal && clock.monotonic() < refusal.until) {
      // Another process may have had more luck.
      const found = await tokens.find?.(known);
      if (found) return found;
      throw refusal.error;
    }
    try {
      return await tokens.obtain(known, flightMs);
    } catch (error) {
      if (error instanceof TokenRequestError || error instanceof InvalidResponseError) {
        const asked = error instanceof TokenRequestError ? error.retryAfterSeconds : cooldownSeconds;
        refusal = {
          error,
          until: clock.monotonic() + Math.min(asked, retryAfterCapSeconds) * 1000,
        };
      }
      throw error;
    }
  }

  /** Never rejects: what it gives returns the token, or throws what went wrong. */
  async function fly(known: BankToken | undefined, flightMs: number): Promise<() => string> {
    try {
      const token = keep(await obtain(known, flightMs));
      return () => token;
    } catch (error) {
      return () => {
        throw error;
      };
    } finally {
      flight = undefined;
    }
  }

  /** Joins the replacement under way, or begins one. */
  async function replace(known: BankToken | undefined, flightMs: number): Promise<string> {
    const joined = (flight ??= fly(known, flightMs));
    const landed = await joined.catch(() => undefined);
    if (landed) return landed();
    // It was abandoned with the request that began it, as Cloudflare's Workers do it.
    if (flight === joined) flight = undefined;
    return replace(known, flightMs);
  }

  return {
    token({ deadline }) {
      const now = clock.monotonic();
      if (!current || now >= current.requestedAt + current.lifetimeMs) {
        // No less than the client's: calls with more time may join.
        return replace(current, Math.max(timeoutMs, deadline - now));
      }
      if (now >= current.renewAt) {
        // Nobody waits for this one. Should it fail, the token serves on, and the next try is not the next call's.
        current.renewAt = now + cooldownSeconds * 1000;
        replace(current, timeoutMs).catch(() => {});
      }
      return current.value;
    },

    onSuccess(token) {
      if (current?.value === token) current.workedAt = clock.monotonic();
    },

    async renew(token) {
      if (current?.value !== token) return true;
      // The endpoint's newest token was never accepted: asking for one more would only burn the quota.
      if (
        !flight &&
        current.workedAt === undefined &&
        clock.monotonic() < current.requestedAt + cooldownSeconds * 1000
      ) {
        const found = await tokens.find?.(current);
        // Another call may have found it meanwhile, and seen it work.
        if (found && current.value === token) keep(found);
        return current.value !== token;
      }
      // It has no life left, but is remembered: it must not come back out of a store. Nor must any that was requested
      // before it last worked, since that is likely to be refused as well.
      current = { ...current, requestedAt: current.workedAt ?? current.requestedAt, lifetimeMs: -Infinity };
      return true;
    },
  };
}

/** One token request (RFC 6749, section 4.4.2), with the retries of any call. */
function requestToken(connection: Connection, body: AccessTokenRequestIdpModel, timeoutMs: number): Promise<BankToken> {
  const { baseUrl, send, clock } = connection;
  const path = "/oauth/token" satisfies keyof paths;
  const requestedAt = clock.monotonic();

  return runCall(clock, { timeoutMs, secrets: [body.client_secret] }, async (call) => {
    const headers = new Headers(connection.headers);
    headers.set("content-type", "application/json");
    const init = { method: "POST", headers, body: JSON.stringify(body) };
    const response = await send({ input: `${baseUrl}${path}`, init }, call);
    const text = await readBody(response, call, () => response.text());
    const answer = parseJson(text);
    if (!response.ok) {
      throw new TokenRequestError(answer, {
        status: response.status,
        headers: response.headers,
        attempts: call.attempts,
        retryAfterSeconds: retryAfterSeconds(response.headers, clock) || cooldownSeconds,
      });
    }
    const { access_token, token_type, expires_in } = (answer ?? {}) as Partial<AccessTokenIdpModel>;
    // A token type is compared without regard to case (RFC 6749, section 5.1).
    const isBearer = token_type === undefined || String(token_type).toLowerCase() === "bearer";
    if (typeof access_token !== "string" || !visibleAscii.test(access_token) || !isBearer) {
      throw invalidResponse("expected a bearer token from the token endpoint", response, call, text);
    }
    return { value: access_token, requestedAt, lifetimeMs: lifetimeMs(access_token, expires_in, clock) };
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
