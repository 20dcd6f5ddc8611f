import { InvalidArgumentError, TimeoutError } from "../errors.js";
import { runCall } from "../http/call.js";
import type { Clock } from "../http/clock.js";

/**
 * A key-value store that processes share. A Keyv instance fits as it is, and with it Redis, Valkey, Memcached, Postgres…
 * Keys and values are strings.
 */
export interface KeyValueStore {
  /** Gives the value of a key; anything but a string counts as none. */
  get(key: string): unknown;
  /** Keeps a value for `ttlMs` milliseconds. */
  set(key: string, value: string, ttlMs: number): unknown;
  /**
   * Keeps a value for `ttlMs` milliseconds unless there is one already, in one step; `true` if it did (Redis: `SET … NX`).
   * With it one process asks for a token while the others wait for what it stores; without it, processes that start
   * together each ask once.
   */
  add?: ((key: string, value: string, ttlMs: number) => boolean | Promise<boolean>) | undefined;
}

/** How long a token of unlimited or very long life is stored, in milliseconds. */
export const maxTtlMs = 24 * 60 * 60 * 1000;
/** Not less: some stores count in whole seconds, and take 0 for ever. */
export const minTtlMs = 1_000;

/** @throws {InvalidArgumentError} where `store` has no `get` and `set` */
export function checkStore(store: KeyValueStore): void {
  if (typeof store?.get === "function" && typeof store.set === "function") return;
  throw new InvalidArgumentError("store", "an object with get(key) and set(key, value, ttlMs)");
}

/** Does one operation of a store. What fails or takes too long gives `undefined`, as an empty store does. */
export type Attempt = <T>(limitMs: number, operation: () => T | Promise<T>) => Promise<T | undefined>;

/** After an operation took too long, the store is left alone for `restMs`: a call has time for one such wait, not for four. */
export function createAttempt(clock: Clock, restMs: number): Attempt {
  let restsUntil = -Infinity;
  return async (limitMs, operation) => {
    if (clock.monotonic() < restsUntil) return undefined;
    try {
      return await runCall(clock, { timeoutMs: limitMs }, async () => operation());
    } catch (error) {
      if (error instanceof TimeoutError) restsUntil = clock.monotonic() + restMs;
      return undefined;
    }
  };
}

/** A key that tells nothing: the hash of what is stored under it. */
export async function digest(parts: readonly string[]): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(parts));
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return `cybrid-customer-tokens:${Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
