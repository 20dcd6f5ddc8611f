import type { Connection } from "./auth.js";
import { InvalidResponseError, TokenRequestError } from "../errors.js";
import type { Clock } from "../http/clock.js";
import { retryAfterCapSeconds } from "../http/send.js";
import type { TokenProvider } from "../http/call.js";

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
export interface BankTokens {
  /**
   * Gives a token.
   *
   * @param known A token that has expired, is about to, or was refused: it must not come back, nor any requested before it
   * @param timeoutMs Time that a token request has
   */
  requestToken(known: BankToken | undefined, timeoutMs: number): Promise<BankToken>;
  /** Gives a token that another process has obtained since, without asking the token endpoint. */
  readShared?(known: BankToken | undefined): Promise<BankToken | undefined>;
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
export const cooldownSeconds = 60;

// A token is renewed while it still serves, when about three quarters of its life have passed. The spread keeps the
// processes of a fleet from renewing at once.
const renewalShare = { earliest: 0.7, spread: 0.1 };

/** Keeps one token for all calls; replaces it by one request at a time. */
export function tokenCache(
  tokens: BankTokens,
  { clock, random, timeoutMs }: Pick<Connection, "clock" | "random" | "timeoutMs">,
): TokenProvider {
  let current: (BankToken & { renewAt: number; workedAt?: number }) | undefined;
  let pendingRefresh: Promise<() => string> | undefined;
  let refusal: { error: Error; until: number } | undefined;

  function keep(token: BankToken): string {
    const share = renewalShare.earliest + renewalShare.spread * random();
    current = { ...token, renewAt: token.requestedAt + token.lifetimeMs * share };
    refusal = undefined;
    return token.value;
  }

  /** Gets a token, unless the endpoint has lately refused. */
  async function requestToken(known: BankToken | undefined, requestTimeoutMs: number): Promise<BankToken> {
    if (refusal && clock.monotonic() < refusal.until) {
      // Another process may have had more luck.
      const found = await tokens.readShared?.(known);
      if (found) return found;
      throw refusal.error;
    }
    try {
      return await tokens.requestToken(known, requestTimeoutMs);
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
  async function refresh(known: BankToken | undefined, requestTimeoutMs: number): Promise<() => string> {
    try {
      const token = keep(await requestToken(known, requestTimeoutMs));
      return () => token;
    } catch (error) {
      return () => {
        throw error;
      };
    } finally {
      pendingRefresh = undefined;
    }
  }

  /** Joins the replacement under way, or begins one. */
  async function replace(known: BankToken | undefined, requestTimeoutMs: number): Promise<string> {
    const joined = (pendingRefresh ??= refresh(known, requestTimeoutMs));
    const outcome = await joined.catch(() => undefined);
    if (outcome) return outcome();
    // It was abandoned with the request that began it, as Cloudflare's Workers do it.
    if (pendingRefresh === joined) pendingRefresh = undefined;
    return replace(known, requestTimeoutMs);
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
        !pendingRefresh &&
        current.workedAt === undefined &&
        clock.monotonic() < current.requestedAt + cooldownSeconds * 1000
      ) {
        const found = await tokens.readShared?.(current);
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
