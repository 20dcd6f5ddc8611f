import { InvalidArgumentError, TimeoutError } from "../errors.js";
import { runCall } from "../http/deadline.js";
import type { Clock } from "../http/clock.js";
import { parseJson } from "../http/json.js";

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
const maxTtlMs = 24 * 60 * 60 * 1000;
/** Not less: some stores count in whole seconds, and take 0 for ever. */
export const minTtlMs = 1_000;
/** What is read of a value at most, in UTF-16 code units. */
const maxLength = 1_000_000;

/** @throws {InvalidArgumentError} where `store` has no `get` and `set` */
export function checkStore(store: KeyValueStore): void {
  if (typeof store?.get === "function" && typeof store.set === "function") return;
  throw new InvalidArgumentError("store", "an object with get(key) and set(key, value, ttlMs)");
}

/** What one call does with a store, on one key and on those that begin with it. */
export type StoreSession = Awaited<ReturnType<ReturnType<typeof createSessions>>>;

/**
 * Opens sessions of a store. What fails or takes too long gives `undefined`, as an empty store does. All operations of a
 * session have a quarter of the call's time together, and one has `operationMs` at most. After one took too long, the store
 * is left alone for `restMs`.
 */
export function createSessions(store: KeyValueStore, clock: Clock, restMs: number) {
  let restsUntil = -Infinity;
  return async (identity: readonly string[], callMs: number, operationMs: number) => {
    const key = await digest(identity);
    let leftMs = callMs / 4;
    async function attempt<T>(operation: () => T | Promise<T>): Promise<T | undefined> {
      const startedAt = clock.monotonic();
      if (startedAt < restsUntil) return undefined;
      try {
        return await runCall(clock, { timeoutMs: Math.min(operationMs, leftMs) }, async () => operation());
      } catch (error) {
        if (error instanceof TimeoutError) restsUntil = clock.monotonic() + restMs;
        return undefined;
      } finally {
        leftMs -= clock.monotonic() - startedAt;
      }
    }
    return {
      key,
      /** Gives the JSON that is stored, parsed. */
      async get(suffix: string): Promise<unknown> {
        const text = await attempt(() => store.get(key + suffix));
        return typeof text === "string" && text.length <= maxLength ? parseJson(text) : undefined;
      },
      /** Stores a value as JSON. */
      set(suffix: string, value: unknown, ttlMs: number) {
        const keptMs = Math.ceil(Math.min(maxTtlMs, Math.max(minTtlMs, ttlMs)));
        return attempt(() => store.set(key + suffix, JSON.stringify(value), keptMs));
      },
      add:
        store.add &&
        ((suffix: string, ttlMs: number) => attempt(async () => Boolean(await store.add?.(key + suffix, "1", ttlMs)))),
    };
  };
}

/** A key that tells nothing: the hash of what is stored under it. */
export async function digest(parts: readonly string[]): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(parts));
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return `cybrid-customer-tokens:${Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
