import type { Clock } from "../http/deadline.js";
import { printableAscii } from "../validate.js";
import { parseJson } from "../http/body.js";

/**
 * Reads when a JWT expires, without verifying it (RFC 7519, section 4.1.4).
 *
 * @param jwt A JWT in compact form; for anything else, the result is `undefined` too
 * @returns the time of its `exp` claim, or `undefined` if it has no valid one
 */
export function expiresAt(jwt: string): Date | undefined {
  const exp = numericDate(jwtClaims(jwt)["exp"]);
  return exp === undefined ? undefined : new Date(exp);
}

/** The claims of a JWT, unverified; none of anything else. */
function jwtClaims(jwt: string): Record<string, unknown> {
  try {
    const payload = jwt.split(".")[1] ?? "";
    // Latin-1 is enough: only numbers matter here, and broken letters leave JSON intact.
    return Object(parseJson(atob(payload.replaceAll("-", "+").replaceAll("_", "/")))) as Record<string, unknown>;
  } catch {
    return {};
  }
}

/** A NumericDate (RFC 7519, section 2) in milliseconds; `undefined` if a `Date` cannot hold it. */
export function numericDate(seconds: unknown): number | undefined {
  if (typeof seconds !== "number") return undefined;
  const timeMs = new Date(seconds * 1000).getTime();
  return Number.isNaN(timeMs) ? undefined : timeMs;
}

// How long a token is valid, for everything that keeps one. The durations that the server states decide; a clock of this
// machine only measures how much of them has passed.

/** A token and its lifetime. */
export interface TimedToken {
  readonly value: string;
  /** When it was requested, in milliseconds on the monotonic clock: the start of its lifetime, on the safe side. */
  readonly requestedAtMonotonic: number;
  /** The same on the wall clock. */
  readonly requestedAtWall: number;
  /** Milliseconds from then to its expiry; `Infinity` if none is stated. */
  readonly lifetimeMs: number;
  /** Whether it came from the store, so that another process requested it. */
  readonly isShared: boolean;
}

/** The times of a token that is about to be requested. */
export function requestTimes(clock: Clock) {
  return { requestedAtMonotonic: clock.monotonic(), requestedAtWall: clock.now() };
}

/** A token in a store, as JSON. Times are of the wall clock, the only one that processes share. */
interface Entry {
  identity: readonly string[];
  token: string;
  requestedAt: number;
  /** `null` if none is stated. */
  lifetimeMs: number | null;
}

/** How far an entry's time may be in the future, in milliseconds: the clocks of two machines may differ by that. */
const clockToleranceMs = 5_000;

/** The lifetime that the claims of a token state; `NaN` if they do not. `issuedAt` replaces a missing `iat`. */
function claimedLifetimeMs(token: string, issuedAt: number): number {
  const claims = jwtClaims(token);
  return (numericDate(claims["exp"]) ?? NaN) - (numericDate(claims["iat"]) ?? issuedAt);
}

/**
 * The lifetime of a token that has just been issued, in milliseconds: the shorter of the one that came with it and the one in
 * its claims; `Infinity` if neither makes sense.
 *
 * @param statedMs `NaN` if nothing was stated
 * @param issuedAt When it was issued, on the wall clock, preferably the server's
 */
export function lifetimeMs(token: string, statedMs: number, issuedAt: number): number {
  return Math.min(...[statedMs, claimedLifetimeMs(token, issuedAt)].filter((ms) => ms > 0));
}

/** How old a token is, in milliseconds. A suspended machine's monotonic clock may have stood still. */
export function ageMs(token: TimedToken, clock: Clock): number {
  return Math.max(clock.monotonic() - token.requestedAtMonotonic, clock.now() - token.requestedAtWall);
}

/** The entry to store for a token. */
export function toEntry(token: TimedToken, identity: readonly string[], clock: Clock): Entry {
  const requestedAt = clock.now() - (clock.monotonic() - token.requestedAtMonotonic);
  return {
    identity,
    token: token.value,
    requestedAt,
    lifetimeMs: Number.isFinite(token.lifetimeMs) ? token.lifetimeMs : null,
  };
}

/** The token in a store's entry, if it has the right shape and identity: anybody may have written it. */
export function fromEntry(found: unknown, identity: readonly string[], clock: Clock): TimedToken | undefined {
  const { identity: of, token: value, requestedAt, lifetimeMs: stored } = Object(found) as Partial<Entry>;
  const isRight =
    JSON.stringify(of) === JSON.stringify(identity) &&
    typeof value === "string" &&
    printableAscii.test(value) &&
    typeof requestedAt === "number" &&
    (stored === null || typeof stored === "number");
  if (!isRight) return undefined;
  // Never in the future, even if that machine's clock is fast: its replacement must count as newer.
  const elapsedMs = Math.max(0, clock.now() - requestedAt);
  const isFuture = requestedAt > clock.now() + clockToleranceMs;
  const requestedAtMonotonic = clock.monotonic() - elapsedMs;
  const claimed = claimedLifetimeMs(value, requestedAt);
  const life = Math.min(stored ?? Infinity, Number.isNaN(claimed) ? Infinity : claimed);
  const token = { value, requestedAtMonotonic, requestedAtWall: requestedAt, lifetimeMs: life, isShared: true };
  return !isFuture && elapsedMs < life ? token : undefined;
}
