import type { Clock } from "../http/deadline.js";
import { retryAfterSeconds } from "../http/response.js";
import { retryAfterCapSeconds } from "../http/retry.js";

/**
 * The quota rule: when a token request may be sent. The service allows 20 in five minutes for one address.
 *
 * A request is *due* if the last one did not fail, and if there is no token yet or the token has reached its renewal time.
 * Due requests are always sent, a second apart. Every other one replaces a token early or follows a failure. It is sent
 * only while the last five minutes hold fewer than 15 of this second kind (due ones that failed count as such) and fewer
 * than 19 in all. Failures in a row are spaced out as well.
 */

/** The latest token requests of a process. Times are milliseconds on the monotonic clock. */
export interface Ledger {
  /** When the latest requests were sent. */
  readonly sent: readonly number[];
  /** Those of them that count against the budget: they were not due, or they failed. */
  readonly counted: readonly number[];
  /** How many have failed in a row. A request under way counts as failed, since its end may never be heard of. */
  readonly failures: number;
  /** When another request may follow a failure, here or in another process. */
  readonly retryAt: number;
  /** The failure that is waited after. */
  readonly lastFailure: unknown;
}

export const emptyLedger: Ledger = { sent: [], counted: [], failures: 0, retryAt: -Infinity, lastFailure: undefined };

/** The time that the service's quota is counted in, in milliseconds. */
export const windowMs = 300_000;
const countedBudget = 15;
const totalBudget = 19;
/** So many requests are remembered: no rule looks further back. */
const ledgerSize = 20;

/** Tokens with less life than this, such as an emulator's, are renewed too often for the total budget. */
const shortLifetimeMs = 20_000;
const dueSpacingMs = 1_000;
/** How long to wait after a refusal of the client itself, which is unlikely to change soon. */
const refusalSeconds = 60;
/** How long to wait after each failure in a row, and after all further ones as after the last. */
const failureSpacingMs = [1_000, 2_000, 4_000, 8_000, 16_000, 30_000];

/**
 * The age at which a token is renewed, while it still serves: about three quarters of its life. The spread keeps the
 * processes of a fleet from renewing at once; 16 s keep those of a short life within the quota.
 */
export function renewalAgeMs(lifetimeMs: number, random: number): number {
  return Math.max(lifetimeMs * (0.7 + 0.1 * random), Math.min(lifetimeMs * 0.8, 16_000));
}

/** When the next request may be sent, for a token of this life. */
export function allowedAt({ sent, counted, failures, retryAt }: Ledger, isDue: boolean, lifetimeMs: number): number {
  const timeOf = (requests: readonly number[], nthLast: number) => requests.at(-nthLast) ?? -Infinity;
  if (isDue) return Math.max(retryAt, timeOf(sent, 1) + dueSpacingMs);
  const isShort = lifetimeMs < shortLifetimeMs;
  // The token's renewals will be sent whatever was sent before: who replaces it before its time leaves room for them.
  const renewals = failures > 0 || isShort ? 0 : Math.floor(windowMs / renewalAgeMs(lifetimeMs, 0));
  const countedAt = timeOf(counted, Math.min(countedBudget, totalBudget - renewals)) + windowMs;
  const totalAt = isShort ? -Infinity : timeOf(sent, totalBudget) + windowMs;
  return Math.max(retryAt, countedAt, totalAt);
}

/** How long to wait after a failure that so many others came before, all in a row. */
function spacingMs(failures: number): number {
  return failureSpacingMs[Math.min(failures, failureSpacingMs.length - 1)] as number;
}

/** Records a request that is being sent, as a failure until it succeeds. */
export function recordRequest(ledger: Ledger, now: number, random: number): Ledger {
  return {
    ...ledger,
    sent: [...ledger.sent, now].slice(-ledgerSize),
    counted: [...ledger.counted, now].slice(-ledgerSize),
    failures: ledger.failures + 1,
    // Never more than the spacing, so that 30 s after an outage a call works again; and hardly less: 15 must last for
    // five minutes.
    retryAt: now + spacingMs(ledger.failures) * (0.9 + 0.1 * random),
  };
}

/** Records that the last request has given a token. */
export function recordSuccess(ledger: Ledger, wasDue: boolean): Ledger {
  const counted = wasDue ? ledger.counted.slice(0, -1) : ledger.counted;
  return { ...emptyLedger, sent: ledger.sent, counted };
}

/** Records that the last request has failed. */
export function recordFailure(ledger: Ledger, failure: unknown, clock: Clock): Ledger {
  const { status, headers } = Object(failure) as Partial<Response>;
  const retryAt = Math.max(ledger.retryAt, clock.monotonic() + askedWaitSeconds(status, headers, clock) * 1000);
  return { ...ledger, retryAt, lastFailure: failure };
}

/** Records that another process wants no request before a time, perhaps after a failure. */
export function recordHold(ledger: Ledger, until: number, failure: Error | undefined): Ledger {
  return { ...ledger, retryAt: until, lastFailure: ledger.lastFailure ?? failure };
}

/** For how long a response asks to send nothing, up to five minutes: by its `Retry-After`, else a minute if it is a refusal. */
export function askedWaitSeconds(status: number | undefined, headers: Headers | undefined, clock: Clock): number {
  const isRefusal = status === 400 || status === 401;
  const seconds = (headers && retryAfterSeconds(headers, clock)) || (isRefusal ? refusalSeconds : 0);
  return Math.min(seconds, retryAfterCapSeconds);
}
