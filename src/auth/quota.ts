import type { Clock } from "../http/clock.js";
import { isSteering, retryAfterSeconds } from "../http/response.js";
import { retryAfterCapSeconds } from "../http/retry.js";

/**
 * The quota rule: when a token request may be sent. The service allows 20 in five minutes for one address.
 *
 * A request is *due* if the last one did not fail, and if there is no token yet or the token has reached its renewal time.
 * Due requests are always sent, a second apart. Every other one replaces a token early or follows a failure. It is sent
 * only while the last five minutes hold fewer than 15 of this second kind (due ones that failed count as such) and fewer
 * than 19 in all. Failures in a row are spaced out as well.
 */

/** The latest token requests of a process or of a fleet. Times are milliseconds on the monotonic clock. */
export interface Ledger {
  /** When the latest requests were sent. */
  readonly sent: readonly number[];
  /** Those of them that count against the budget: they were not due, or they failed. */
  readonly counted: readonly number[];
  /** How many have failed in a row. A request under way counts as failed, since its end may never be heard of. */
  readonly failures: number;
  /** Whether the last request has not ended yet, as far as is known. */
  readonly isPending: boolean;
  /** When another request may follow a failure. */
  readonly retryAt: number;
  /** HTTP status of the last failure. */
  readonly status: number | undefined;
}

export const emptyLedger: Ledger = {
  sent: [],
  counted: [],
  failures: 0,
  isPending: false,
  retryAt: -Infinity,
  status: undefined,
};

/** The time that the service's quota is counted in, in milliseconds. */
export const windowMs = 300_000;
const countedBudget = 15;
const totalBudget = 19;
/** So many requests are remembered: no rule looks further back. */
export const ledgerSize = 20;

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
  if (isDue) return timeOf(sent, 1) + dueSpacingMs;
  const isShort = lifetimeMs < shortLifetimeMs;
  // The token's renewals will be sent whatever was sent before: who replaces it before its time leaves room for them.
  const renewals = failures > 0 || isShort ? 0 : Math.floor(windowMs / renewalAgeMs(lifetimeMs, 0));
  const countedAt = timeOf(counted, Math.min(countedBudget, totalBudget - renewals)) + windowMs;
  const totalAt = isShort ? -Infinity : timeOf(sent, totalBudget) + windowMs;
  return Math.max(retryAt, countedAt, totalAt);
}

/** Takes down a request that is being sent, as a failure until it succeeds. */
export function recordRequest(ledger: Ledger, now: number, random: number): Ledger {
  const spacingMs = failureSpacingMs[Math.min(ledger.failures, failureSpacingMs.length - 1)] as number;
  return {
    ...ledger,
    sent: [...ledger.sent, now].slice(-ledgerSize),
    counted: [...ledger.counted, now].slice(-ledgerSize),
    failures: ledger.failures + 1,
    isPending: true,
    // Never more than the spacing, so that 30 s after an outage a call works again; and hardly less: 15 must last for
    // five minutes.
    retryAt: now + spacingMs * (0.9 + 0.1 * random),
  };
}

/** Takes down that the last request has given a token. */
export function recordSuccess(ledger: Ledger, wasDue: boolean): Ledger {
  const counted = wasDue ? ledger.counted.slice(0, -1) : ledger.counted;
  return { ...emptyLedger, sent: ledger.sent, counted };
}

/** Takes down that the last request has failed, or takes it back where it was not sent. */
export function recordFailure(ledger: Ledger, failure: unknown, clock: Clock): Ledger {
  if (isSteering(failure)) {
    // That the request was allowed shows that nothing held it up.
    const [sent, counted] = [ledger.sent.slice(0, -1), ledger.counted.slice(0, -1)];
    return { ...ledger, sent, counted, failures: ledger.failures - 1, isPending: false, retryAt: -Infinity };
  }
  const { status, headers } = Object(failure) as Partial<Response>;
  const waitMs = Math.min(askedWaitSeconds(status, headers, clock), retryAfterCapSeconds) * 1000;
  return { ...ledger, isPending: false, status, retryAt: Math.max(ledger.retryAt, clock.monotonic() + waitMs) };
}

/** For how long an answer asks to send nothing: by its `Retry-After`, else a minute where it is a refusal. */
export function askedWaitSeconds(status: number | undefined, headers: Headers | undefined, clock: Clock): number {
  const isRefusal = status === 400 || status === 401;
  return (headers && retryAfterSeconds(headers, clock)) || (isRefusal ? refusalSeconds : 0);
}

/** How many of the failures in a row were sent at this time or later. */
export function failuresSince({ sent, failures }: Ledger, time: number): number {
  return sent.slice(Math.max(0, sent.length - failures)).filter((at) => at >= time).length;
}
