import type { Connection } from "./auth.js";
import * as quota from "./quota.js";
import { ageMs, type TimedToken } from "./token-lifetime.js";
import { ConnectionError, TimeoutError, TokenRequestError } from "../errors.js";
import { sleep, type CallContext, type TokenProvider } from "../http/deadline.js";
import { isNextControlFlow } from "../http/response.js";
import { retriedStatuses } from "../http/retry.js";

/** The outcome of a request for a token. */
export type Outcome =
  /** `isEarly`: it was requested although the last one was not due for renewal, or after a failure. */
  | { kind: "token"; token: TimedToken; isEarly?: boolean }
  | { kind: "failed"; error: unknown }
  /** Nothing was sent: the quota rule forbids it until then, or another process sent a request, which may have failed. */
  | { kind: "paused"; until: number; failure?: Error | undefined };

/** Sends one token request. It rejects only with Next.js's control flow. */
export type SendTokenRequest = () => Promise<Outcome>;

/** Shares bank tokens between processes. `sharedStore` makes it; how it works is internal. */
export type BankTokenStore = (
  context: Pick<Connection, "timeoutMs" | "clock" | "random" | "log"> & {
    /** Host, client and scopes of a token: it must not be used for others. */
    readonly identity: readonly string[];
  },
) => SharedTokens;

/** The bank tokens of all processes that use one store. */
export interface SharedTokens {
  /**
   * Returns a token that another process has stored.
   *
   * @param known A token that is to be replaced: neither it nor one that was requested before it must come back
   */
  readShared(known: TimedToken | undefined): Promise<TimedToken | undefined>;
  /** Returns such a token or, if no other process is requesting one, the outcome of `sendTokenRequest`. */
  requestToken(known: TimedToken | undefined, sendTokenRequest: SendTokenRequest): Promise<Outcome>;
}

/** The token that is in use. */
interface CurrentToken extends TimedToken {
  renewAt: number;
  /** `new`: not accepted so far. `refused once`: accepted before, and then rejected with 401. `dead`: never sent again. */
  state: "new" | "worked" | "refused once" | "dead";
  /** When a call last succeeded with it. */
  workedAt?: number;
}

/** For this time after a token was requested, a 401 says little about the token. */
const youngMs = 60_000;

/** Keeps one token for all calls, and replaces it by one request at a time, as the quota rule allows. */
export function bankTokenCache(
  options: Pick<Connection, "clock" | "random" | "timeoutMs" | "maxRetries" | "log"> & {
    /** Sends one request, within `timeoutMs`, for a call that has sent `earlierAttempts` before. */
    request(timeoutMs: number, earlierAttempts: number): Promise<TimedToken>;
    shared: SharedTokens | undefined;
  },
): TokenProvider {
  const { request, shared, clock, random, timeoutMs, maxRetries, log } = options;
  // A request of another process does not count as a try of this call, but the calls of a fleet must not try in turn without
  // end.
  const maxFleetFailures = Math.max(2, maxRetries);
  let current: CurrentToken | undefined;
  let pending: Promise<Outcome> | undefined;
  let ledger = quota.emptyLedger;

  function isDue(): boolean {
    return ledger.failures === 0 && (!current || clock.monotonic() >= current.renewAt);
  }

  function nextRequestAt(): number {
    return quota.allowedAt(ledger, isDue(), current?.lifetimeMs ?? Infinity);
  }

  const secondsUntil = (time: number) => Math.max(1, Math.ceil((time - clock.monotonic()) / 1000));

  function keep(token: TimedToken): void {
    const renewAt = token.requestedAtMonotonic + quota.renewalAgeMs(token.lifetimeMs, random());
    // A shared one was issued to another process: it counts as one that worked, and ends the failures here.
    current = { ...token, renewAt, state: token.isShared ? "worked" : "new" };
    if (token.isShared) ledger = quota.recordSuccess(ledger, false);
  }

  /** Sends one request for a call, or in the background. The quota rule has to allow it. */
  async function sendTokenRequest(call?: CallContext): Promise<Outcome> {
    const now = clock.monotonic();
    const [before, wasDue] = [ledger, isDue()];
    ledger = quota.recordRequest(ledger, now, random());
    log.debug(current ? "requesting another bank token" : "requesting a bank token");
    try {
      // Not less than the client's timeout: calls with more time may join.
      const requestMs = Math.max(timeoutMs, (call?.deadline ?? now) - now);
      const token = await request(requestMs, call?.tokenFailures.length ?? 0);
      ledger = quota.recordSuccess(ledger, wasDue);
      log.debug(`got a bank token, valid for ${Math.round(token.lifetimeMs / 1000)} s`);
      return { kind: "token", token, isEarly: !wasDue };
    } catch (error) {
      if (isNextControlFlow(error)) {
        ledger = before;
        throw error;
      }
      ledger = quota.recordFailure(ledger, error, clock);
      const retryAfterSeconds = secondsUntil(nextRequestAt());
      if (error instanceof TokenRequestError) Object.assign(error, { retryAfterSeconds });
      log.warn(`no bank token: ${(error as Error).message}; the next request may be sent in ${retryAfterSeconds} s`);
      return { kind: "failed", error };
    }
  }

  async function refresh(known: TimedToken | undefined, call?: CallContext, maySend = true): Promise<Outcome> {
    const until = nextRequestAt();
    let outcome: Outcome;
    if (maySend && until <= clock.monotonic()) {
      outcome = shared ? await shared.requestToken(known, () => sendTokenRequest(call)) : await sendTokenRequest(call);
    } else {
      // Another process may have got one.
      const token = await shared?.readShared(known);
      outcome = token ? { kind: "token", token } : { kind: "paused", until };
    }
    if (outcome.kind === "token") keep(outcome.token);
    if (outcome.kind === "paused" && outcome.until > nextRequestAt()) {
      ledger = quota.recordPause(ledger, outcome.until, outcome.failure);
      log.debug(`another process requested a token: token requests are paused for ${secondsUntil(outcome.until)} s`);
    }
    return outcome;
  }

  /** Joins the refresh under way, or begins one. Without `maySend` it only looks for another process's token. */
  async function joinRefresh(known: TimedToken | undefined, call?: CallContext, maySend?: boolean): Promise<Outcome> {
    const isOwn = call && !pending;
    const joined = (pending ??= refresh(known, call, maySend));
    try {
      const outcome = await joined;
      if (outcome.kind === "failed") call?.tokenFailures.push(outcome.error);
      return outcome;
    } catch (error) {
      // Next.js controls the page of this call by it, and no other page.
      if (isOwn && isNextControlFlow(error)) throw error;
      // The request to a Worker that began it has ended, and Cloudflare abandoned it.
      return { kind: "paused", until: nextRequestAt() };
    } finally {
      if (pending === joined) pending = undefined;
    }
  }

  /** Waits for a token for as long as the call has time, tries and reason to. */
  async function waitForToken(call: CallContext): Promise<string> {
    for (let fleetFailures = 0; ;) {
      call.signal.throwIfAborted();
      if (current && isAlive(current)) return current.value;
      const outcome = await joinRefresh(current?.state === "dead" ? toReplace(current) : current, call);
      if (outcome.kind === "token") return outcome.token.value;
      if (outcome.kind === "paused" && outcome.failure) fleetFailures++;
      const own = call.tokenFailures;
      const failure = own.at(-1);
      const retryAt = nextRequestAt();
      const isUsedUp = own.length > maxRetries || own.length + fleetFailures > maxFleetFailures;
      if (isUsedUp || (own.length > 0 && !isRetried(failure)) || retryAt >= call.deadline) {
        // The call has waited for this failure, so it gets it. A timeout is another call's: its own time is not up.
        throw own.length > 0 && !(failure instanceof TimeoutError) ? failure : pausedError(retryAt);
      }
      await sleep(clock, Math.max(0, retryAt - clock.monotonic()), call.signal);
    }
  }

  function isAlive(token: CurrentToken): boolean {
    return token.state !== "dead" && clock.monotonic() < token.requestedAtMonotonic + token.lifetimeMs;
  }

  /** The error for a call while token requests are paused. */
  function pausedError(retryAt: number): TokenRequestError {
    const { lastFailure } = ledger;
    const { error, errorDescription: error_description, headers, status } = Object(lastFailure) as TokenRequestError;
    const details = { status, headers, attempts: 0, retryAfterSeconds: secondsUntil(retryAt) };
    return new TokenRequestError({ error, error_description }, details, lastFailure);
  }

  return {
    token(call) {
      if (!current || !isAlive(current)) return waitForToken(call);
      const now = clock.monotonic();
      // Nobody waits for this one: the token is still valid.
      if (now >= current.renewAt && !pending && nextRequestAt() <= now) void joinRefresh(current);
      return current.value;
    },

    onSuccess(token) {
      if (current?.value !== token) return;
      current.workedAt = clock.monotonic();
      if (current.state !== "dead") current.state = "worked";
    },

    async onUnauthorized(token, call) {
      const refused = current;
      if (refused?.value !== token) return "retry";
      const age = ageMs(refused, clock);
      log.warn(`a bank token was rejected with 401 at the age of ${Math.round(age / 1000)} s`);
      // If the newest token was never accepted, another one would only use up the quota.
      const isWorthwhile = refused.state !== "new" || age >= youngMs;
      const mayReplace = pending !== undefined || (isWorthwhile && nextRequestAt() <= clock.monotonic());
      // One server out of many may not know the token yet: the next one may accept it.
      if (refused.state === "worked" && (age < youngMs || !mayReplace)) {
        refused.state = "refused once";
        return "retry";
      }
      const { kind } = await joinRefresh(toReplace(refused), call, mayReplace);
      // If nothing was sent, the token stays in use.
      if (kind === "failed") refused.state = "dead";
      return current !== refused || refused.state === "dead" ? "retry" : "give up";
    },
  };
}

/** A refused token, as the store compares it: tokens requested before it last worked are likely to be refused, too. */
function toReplace(token: CurrentToken): TimedToken {
  return { ...token, requestedAtMonotonic: token.workedAt ?? token.requestedAtMonotonic };
}

/**
 * Whether a call may wait for another token request after this failure: one that is retried anyway, or the timeout of a call
 * that it joined.
 */
function isRetried(failure: unknown): boolean {
  if (failure instanceof TokenRequestError) return retriedStatuses.has(failure.status ?? 0);
  return failure instanceof ConnectionError || failure instanceof TimeoutError;
}
