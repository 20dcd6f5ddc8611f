import type { Clock } from "../http/deadline.js";
import { retryAfterSeconds } from "../http/response.js";
import { retryAfterCapSeconds } from "../http/retry.js";

/**
 * The quota rule: when a token request may be sent. The service allows 20 in five minutes for one address.
 *
 * A request is *due* if the last one did not fail, and if there is no token yet or the token has reached its renewal time.
 * Due requests are always sent, but at least a second apart. Every other request is *extra*: it replaces a token early or
 * follows a failure. It is sent only if the last five minutes hold fewer than 15 extra requests and fewer than 19 in all. A due
 * request that failed counts as extra. After each failure in a row, the wait is longer.
 */

/** The latest token requests of a process. Times are milliseconds on the monotonic clock. */
export interface Ledger {
  /** When the latest requests were sent. */
  readonly sent: readonly number[];
  /** Those of them that were extra: they were not due, or they failed. */
  readonly extra: readonly number[];
  /** How many have failed in a row. A request under way counts as failed, since its outcome may never be known. */
  readonly failures: number;
  /** When another request may follow a failure, here or in another process. */
  readonly retryAt: number;
  /** The failure that makes others wait. */
  readonly lastFailure: unknown;
}

export const emptyLedger: Ledger = { sent: [], extra: [], failures: 0, retryAt: -Infinity, lastFailure: undefined };

/** The time that the service's quota is counted in, in milliseconds. */
export const windowMs = 300_000;
const extraBudget = 15;
const totalBudget = 19;
/** How many requests are remembered: no rule looks further back. */
const ledgerSize = 20;

/** Tokens that live less than this, such as an emulator's, are renewed too often for the total budget. */
const shortLifetimeMs = 20_000;
const dueSpacingMs = 1_000;
/** How long to wait after the client was refused (400 or 401), which is unlikely to change soon. */
const refusalSeconds = 60;
/** How long to wait after the first failure, the second in a row, and so on; after all further ones as after the last. */
const failureSpacingMs = [1_000, 2_000, 4_000, 8_000, 16_000, 30_000];

/**
 * The age at which a token is renewed, while it is still valid: about three quarters of its lifetime. The spread keeps the
 * processes of a fleet from renewing at once; 16 s keep short-lived tokens within the quota.
 */
export function renewalAgeMs(lifetimeMs: number, random: number): number {
  return Math.max(lifetimeMs * (0.7 + 0.1 * random), Math.min(lifetimeMs * 0.8, 16_000));
}

/** When the next request may be sent, for a token of this lifetime. */
export function allowedAt({ sent, extra, failures, retryAt }: Ledger, isDue: boolean, lifetimeMs: number): number {
  const timeOf = (requests: readonly number[], nthLast: number) => requests.at(-nthLast) ?? -Infinity;
  if (isDue) return Math.max(retryAt, timeOf(sent, 1) + dueSpacingMs);
  const isShort = lifetimeMs < shortLifetimeMs;
  // The token's renewals are always sent, so an early replacement leaves room for them.
  const renewals = failures > 0 || isShort ? 0 : Math.floor(windowMs / renewalAgeMs(lifetimeMs, 0));
  const extraAt = timeOf(extra, Math.min(extraBudget, totalBudget - renewals)) + windowMs;
  const totalAt = isShort ? -Infinity : timeOf(sent, totalBudget) + windowMs;
  return Math.max(retryAt, extraAt, totalAt);
}

/** How long to wait after a failure that came after this many others in a row. */
function spacingMs(failures: number): number {
  return failureSpacingMs[Math.min(failures, failureSpacingMs.length - 1)] as number;
}

/** Records a request that is being sent, as a failure until it succeeds. */
export function recordRequest(ledger: Ledger, now: number, random: number): Ledger {
  return {
    ...ledger,
    sent: [...ledger.sent, now].slice(-ledgerSize),
    extra: [...ledger.extra, now].slice(-ledgerSize),
    failures: ledger.failures + 1,
    // Never more than the spacing, so that calls work again 30 s after an outage; and hardly less, since the 15 requests must
    // last for five minutes.
    retryAt: now + spacingMs(ledger.failures) * (0.9 + 0.1 * random),
  };
}

/** Records that the last request has brought a token. */
export function recordSuccess(ledger: Ledger, wasDue: boolean): Ledger {
  const extra = wasDue ? ledger.extra.slice(0, -1) : ledger.extra;
  return { ...emptyLedger, sent: ledger.sent, extra };
}

/** Records that the last request has failed. */
export function recordFailure(ledger: Ledger, failure: unknown, clock: Clock): Ledger {
  const { status, headers } = Object(failure) as Partial<Response>;
  const retryAt = Math.max(ledger.retryAt, clock.monotonic() + requiredWaitSeconds(status, headers, clock) * 1000);
  return { ...ledger, retryAt, lastFailure: failure };
}

/** Records that another process allows no request before a time, perhaps after a failure. */
export function recordPause(ledger: Ledger, until: number, failure: Error | undefined): Ledger {
  return { ...ledger, retryAt: until, lastFailure: ledger.lastFailure ?? failure };
}

/** How long to send nothing after a response: its `Retry-After`, up to five minutes, or else a minute after a refusal. */
export function requiredWaitSeconds(status: number | undefined, headers: Headers | undefined, clock: Clock): number {
  const isRefusal = status === 400 || status === 401;
  const seconds = (headers && retryAfterSeconds(headers, clock)) || (isRefusal ? refusalSeconds : 0);
  return Math.min(seconds, retryAfterCapSeconds);
}
