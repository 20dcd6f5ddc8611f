import type { Connection } from "./auth.js";
import * as quota from "./quota.js";
import type { Ledger } from "./quota.js";
import { ConnectionError, TimeoutError, TokenRequestError } from "../errors.js";
import type { CallContext, TokenProvider } from "../http/deadline.js";
import { type Clock, sleep } from "../http/clock.js";
import { isSteering } from "../http/response.js";
import { retriedStatuses } from "../http/retry.js";

/** A bank token and its life. */
export interface BankToken {
  readonly value: string;
  /** When it was asked for, in milliseconds on the monotonic clock: the start of its life, on the safe side. */
  readonly requestedAt: number;
  /** The same on the wall clock. */
  readonly requestedOn: number;
  /** Milliseconds from then to its expiry; `Infinity` where nobody states one. */
  readonly lifetimeMs: number;
  /** Whether it came out of a store, so that nobody here has seen it given. */
  readonly isShared: boolean;
}

/** Shares bank tokens between processes: made by `sharedStore`, and opaque otherwise. */
export type BankTokenStore = (context: StoreContext) => SharedTokens;

/** What a store gets from the client. */
interface StoreContext {
  /** What a token is for: it must not serve for another host, client or set of scopes. */
  readonly identity: readonly string[];
  /** Time that a token request has, in milliseconds. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly random: () => number;
}

/** The bank tokens of all processes that use one store. */
export interface SharedTokens {
  /**
   * Gives a token that another process has put there.
   *
   * @param known A token that is to be replaced: it must not come back, nor any that was requested before it
   */
  readShared(known: BankToken | undefined): Promise<BankToken | undefined>;
  /** Gives such a token or, where no other process is asking for one, what `request` gives. */
  requestToken(known: BankToken | undefined, request: RequestToken): Promise<BankToken | undefined>;
}

/** Sends one token request; `undefined` where the quota rule forbids it for now, by this process's ledger or the fleet's. */
type RequestToken = (fleet?: FleetLedger) => Promise<BankToken | undefined>;

/** The ledger of all processes that use one store. */
interface FleetLedger {
  readonly ledger: Ledger;
  /** Changes what the store holds by now, and gives the outcome. */
  update(change: (ledger: Ledger) => Ledger): Promise<Ledger>;
}

/** What the cache knows of a request that it sends. */
export interface TokenRequest {
  /** Time that it has, in milliseconds. */
  timeoutMs: number;
  /** How often the call that waits for it has sent one before. */
  earlierAttempts: number;
  /** Seconds until the next one, unless the answer asks for more. */
  spacingSeconds: number;
}

/** The token that is in use. */
interface CachedToken extends BankToken {
  renewAt: number;
  /** When a call last succeeded with it. */
  workedAt?: number;
  /** Whether it was answered 401 since. */
  isRefused: boolean;
  /** Whether it must not be sent any more. */
  isDead: boolean;
}

/** For so long after a token's request, a 401 says little about the token. */
const youngMs = 60_000;

/** Keeps one token for all calls, and replaces it by one request at a time, as the quota rule allows. */
export function tokenCache(
  options: Pick<Connection, "clock" | "random" | "timeoutMs" | "maxRetries"> & {
    /** Sends one request. */
    request(details: TokenRequest): Promise<BankToken>;
    shared: SharedTokens | undefined;
  },
): TokenProvider {
  const { request, shared, clock, random, timeoutMs, maxRetries } = options;
  // What another process sends is no try of this call's own, but a fleet's calls must not go on one after the other.
  const maxFleetFailures = Math.max(2, maxRetries);
  let current: CachedToken | undefined;
  let pendingRefresh: Promise<string | undefined> | undefined;
  let lastFailure: unknown;
  let own = quota.emptyLedger;
  let fleet = quota.emptyLedger;
  /** How many failures in a row each waiting call had before it, by the two ledgers. */
  const failuresBefore = new WeakMap<CallContext, readonly [number, number]>();

  /** How many token requests have failed while a call was waiting: this process's, and the fleet's. */
  function failuresSeenBy(call: CallContext): readonly [number, number] {
    const before = failuresBefore.get(call) ?? [own.failures, fleet.failures];
    failuresBefore.set(call, before);
    const seen = (ledger: Ledger, earlier: number) =>
      Math.min(quota.failuresSince(ledger, call.startedAt), Math.max(0, ledger.failures - earlier));
    return [seen(own, before[0]), seen(fleet, before[1])];
  }

  function isDue(): boolean {
    return own.failures === 0 && fleet.failures === 0 && (!current || clock.monotonic() >= current.renewAt);
  }

  function nextRequestAt(): number {
    const [due, lifetimeMs] = [isDue(), current?.lifetimeMs ?? Infinity];
    return Math.max(quota.allowedAt(own, due, lifetimeMs), quota.allowedAt(fleet, due, lifetimeMs));
  }

  function keep(token: BankToken): string {
    const renewAt = token.requestedAt + quota.renewalAgeMs(token.lifetimeMs, random());
    current = { ...token, renewAt, isRefused: false, isDead: false };
    lastFailure = undefined;
    if (token.isShared) [own, fleet] = [quota.recordSuccess(own, false), quota.recordSuccess(fleet, false)];
    return token.value;
  }

  /** Sends one request for a call, or in the background; `undefined` where the rule forbids it for now. */
  async function sendRequest(call?: CallContext, fleetLedger?: FleetLedger): Promise<BankToken | undefined> {
    if (fleetLedger) fleet = fleetLedger.ledger;
    const now = clock.monotonic();
    const [earlierAttempts, fleetFailures] = call ? failuresSeenBy(call) : [0, 0];
    if (nextRequestAt() > now || fleetFailures > maxFleetFailures) return undefined;
    const wasDue = isDue();
    const jitter = random();
    const record = async (change: (ledger: Ledger) => Ledger) => {
      own = change(own);
      fleet = fleetLedger ? await fleetLedger.update(change) : change(fleet);
    };
    await record((ledger) => quota.recordRequest(ledger, now, jitter));
    try {
      const token = await request({
        // No less than the client's: calls with more time may join.
        timeoutMs: Math.max(timeoutMs, (call?.deadline ?? now) - now),
        earlierAttempts,
        spacingSeconds: Math.ceil((nextRequestAt() - now) / 1000),
      });
      await record((ledger) => quota.recordSuccess(ledger, wasDue));
      return token;
    } catch (error) {
      if (!isSteering(error)) lastFailure = error;
      await record((ledger) => quota.recordFailure(ledger, error, clock));
      throw error;
    }
  }

  /** Gets another token; `undefined` where the request failed, or where none may be sent. */
  async function refresh(known: BankToken | undefined, call?: CallContext): Promise<string | undefined> {
    try {
      const send: RequestToken = (fleetLedger) => sendRequest(call, fleetLedger);
      const maySend = nextRequestAt() <= clock.monotonic();
      // Where none may be sent, another process may have had more luck.
      const token = await (maySend ? (shared?.requestToken(known, send) ?? send()) : shared?.readShared(known));
      return token && keep(token);
    } catch (error) {
      if (isSteering(error)) throw error;
      return undefined;
    } finally {
      pendingRefresh = undefined;
    }
  }

  /** Joins the refresh under way, or begins one. */
  async function joinRefresh(known: BankToken | undefined, call?: CallContext): Promise<string | undefined> {
    if (call) failuresSeenBy(call);
    const isOwn = call && !pendingRefresh;
    const joined = (pendingRefresh ??= refresh(known, call));
    return joined.catch((error: unknown) => {
      // It was abandoned with the request that began it, as Cloudflare's Workers do it.
      if (pendingRefresh === joined) pendingRefresh = undefined;
      // Next.js steers the page of this call by it, and no other one's.
      if (isOwn && isSteering(error)) throw error;
      return undefined;
    });
  }

  /** Waits for a token for as long as the call has time, tries and reason to. */
  async function waitForToken(call: CallContext): Promise<string> {
    for (;;) {
      call.signal.throwIfAborted();
      if (current && isAlive(current)) return current.value;
      const token = await joinRefresh(current?.isDead ? toReplace(current) : current, call);
      if (token !== undefined) return token;
      if (pendingRefresh) continue;
      const [ownFailures, fleetFailures] = failuresSeenBy(call);
      const isUsedUp = ownFailures > maxRetries || fleetFailures > maxFleetFailures;
      const retryAt = nextRequestAt();
      if (isUsedUp || (ownFailures > 0 && !isRetried(lastFailure)) || retryAt >= call.deadline) {
        // The call has waited for this failure, so it gets it. A timeout is another call's: its own time is not up.
        throw ownFailures > 0 && !(lastFailure instanceof TimeoutError) ? lastFailure : heldUp(retryAt);
      }
      await sleep(clock, Math.max(0, retryAt - clock.monotonic()), call.signal);
    }
  }

  function isAlive(token: CachedToken): boolean {
    return !token.isDead && clock.monotonic() < token.requestedAt + token.lifetimeMs;
  }

  /** That no request is sent before some time, because of the last one. */
  function heldUp(retryAt: number): TokenRequestError {
    const cause = lastFailure ?? (fleet.failures > 0 ? new Error("another process's token request failed") : undefined);
    const { error, errorDescription, headers, ...answer } = Object(cause) as Partial<TokenRequestError>;
    const status = lastFailure ? answer.status : fleet.status;
    const retryAfterSeconds = Math.max(1, Math.ceil((retryAt - clock.monotonic()) / 1000));
    const body = { error, error_description: errorDescription };
    return new TokenRequestError(body, { status, headers, attempts: 0, retryAfterSeconds, cause });
  }

  return {
    token(call) {
      if (!current || !isAlive(current)) return waitForToken(call);
      const now = clock.monotonic();
      // Nobody waits for this one: the token still serves.
      if (now >= current.renewAt && !pendingRefresh && nextRequestAt() <= now) void joinRefresh(current);
      return current.value;
    },

    onSuccess(token) {
      if (current?.value !== token) return;
      current.workedAt = clock.monotonic();
      current.isRefused = false;
    },

    async renew(token, call) {
      const refused = current;
      if (refused?.value !== token || refused.isDead) return true;
      // A suspended machine's monotonic clock may have stood still.
      const ageMs = Math.max(clock.monotonic() - refused.requestedAt, clock.now() - refused.requestedOn);
      const isProven = refused.isShared || refused.workedAt !== undefined;
      // Where the endpoint's newest token was never accepted, asking for one more would only burn the quota.
      const isWorthwhile = isProven || ageMs >= youngMs;
      const mayReplace = pendingRefresh !== undefined || (isWorthwhile && nextRequestAt() <= clock.monotonic());
      // It may have been one server of many that has not heard of the token, or is wrong: the next may accept it.
      if (isProven && !refused.isRefused && (ageMs < youngMs || !mayReplace)) {
        refused.isRefused = true;
        return true;
      }
      const failure = lastFailure;
      if (mayReplace) {
        await joinRefresh(toReplace(refused), call);
        // Where nothing was sent the token serves on.
        if (lastFailure !== undefined && lastFailure !== failure) refused.isDead = true;
      } else {
        // Another process may have one that is accepted.
        const found = await shared?.readShared(toReplace(refused));
        if (found && current === refused) keep(found);
      }
      return current !== refused || refused.isDead;
    },
  };
}

/** A refused token as the store is to see it: what was requested before it last worked is likely to be refused as well. */
function toReplace(token: CachedToken): BankToken {
  return { ...token, requestedAt: token.workedAt ?? token.requestedAt };
}

/** Whether a call may wait for another request after this failure: as after a failure of its own, and a joined timeout. */
function isRetried(failure: unknown): boolean {
  if (failure instanceof TokenRequestError) return retriedStatuses.has(failure.status ?? 0);
  return failure instanceof ConnectionError || failure instanceof TimeoutError;
}
