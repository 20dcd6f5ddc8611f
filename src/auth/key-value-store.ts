import { TimeoutError } from "../errors.js";
import { decode, toBytes, parseJson } from "../http/body.js";
import { runCall, type Clock } from "../http/deadline.js";
import type { Logger } from "../logger.js";
import { withMethods } from "../validate.js";

/**
 * A key-value store that processes share. A Keyv instance works as it is, with Redis, Valkey, Memcached, Postgres…
 * Keys and values are strings.
 */
export interface KeyValueStore {
  /** Returns the value of a key: the string that was set, the value parsed from its JSON, or bytes. */
  get(key: string): unknown;
  /** Keeps a value for `ttlMs` milliseconds. Returning `false` means that it failed. */
  set(key: string, value: string, ttlMs: number): unknown;
  /**
   * Keeps a value for `ttlMs` milliseconds unless there is one already, in one step; `true` if it did (Redis: `SET … NX`).
   * With it, one process requests a token while the others wait until it is stored. Without it, processes that start together
   * request one each.
   */
  add?: ((key: string, value: string, ttlMs: number) => boolean | Promise<boolean>) | undefined;
}

export const storeRule = withMethods("get", "set");

/** How long a token of unlimited or very long lifetime is stored, in milliseconds. */
export const maxTtlMs = 24 * 60 * 60 * 1000;
/** The shortest: some stores count in whole seconds, and take 0 as "forever". */
export const minTtlMs = 1_000;
/** A longer value is not read. In UTF-16 code units. */
const maxLength = 1_000_000;

/** Stores a value as JSON. @throws the store's error, or one of ours if it returns `false`, as Keyv does instead */
export async function write(store: KeyValueStore, key: string, value: unknown, ttlMs: number): Promise<void> {
  const keptMs = Math.ceil(Math.min(maxTtlMs, Math.max(minTtlMs, ttlMs)));
  if ((await store.set(key, JSON.stringify(value), keptMs)) === false) {
    throw new Error("the store kept nothing: its set() returned false");
  }
}

/** Reads the JSON of a value, in whichever form the store returns it. */
export async function read(store: KeyValueStore, key: string): Promise<unknown> {
  const found = await store.get(key);
  const isBytes = ArrayBuffer.isView(found) || Object.prototype.toString.call(found) === "[object ArrayBuffer]";
  const text = isBytes ? decode(toBytes(found)) : typeof found === "string" ? found : JSON.stringify(found);
  const value = text !== undefined && text.length <= maxLength ? parseJson(text) : undefined;
  // Some stores write values as JSON themselves, which makes JSON within JSON.
  return typeof value === "string" ? parseJson(value) : value;
}

/** All operations of one call on a store. */
export type StoreSession = ReturnType<ReturnType<typeof createSessions>>;

/**
 * Opens sessions of a store. An operation that fails or takes too long returns `undefined`, as an empty store does. All
 * operations of a session have a quarter of the call's time together, and each has `operationMs` at most. If one takes too
 * long, the store is not used for the next `restMs`.
 */
export function createSessions(store: KeyValueStore, clock: Clock, restMs: number, log: Logger) {
  let restsUntil = -Infinity;
  let returnsWrites = false;
  return (callMs: number, operationMs: number) => {
    let leftMs = callMs / 4;
    let hasFailed = false;
    async function attempt<T>(name: string, operation: () => Promise<T>): Promise<T | undefined> {
      const startedAt = clock.monotonic();
      if (startedAt < restsUntil) {
        hasFailed = true;
        return undefined;
      }
      try {
        return await runCall(clock, { timeoutMs: Math.min(operationMs, leftMs) }, operation);
      } catch (error) {
        hasFailed = true;
        const isSlow = error instanceof TimeoutError;
        if (isSlow) restsUntil = clock.monotonic() + restMs;
        // A message may show the value that was to be stored.
        const { code, name: kind } = Object(error) as { code?: unknown; name?: unknown };
        log.warn(`the store ${isSlow ? "took too long" : "failed"} in ${name}(): ${String(code ?? kind)}`);
        return undefined;
      } finally {
        leftMs -= clock.monotonic() - startedAt;
      }
    }
    const get = (key: string) => attempt("get", () => read(store, key));
    return {
      get,
      async set(key: string, value: unknown, ttlMs: number): Promise<void> {
        const isSet = await attempt("set", () => write(store, key, value, ttlMs).then(() => true));
        if (!isSet || returnsWrites) return;
        // Another process may have written its own in the meantime.
        returnsWrites = typeof ((await get(key)) ?? undefined) === typeof value;
        if (!returnsWrites) log.warn("the store does not return what was written to it: nothing is shared");
      },
      add:
        store.add &&
        ((key: string, ttlMs: number) =>
          attempt("add", async () => {
            const added: unknown = await store.add?.(key, "1", ttlMs);
            // A test double returns nothing.
            return added === undefined ? undefined : Boolean(added);
          })),
      /** Whether anything went wrong, so that the store may only look empty. */
      hasFailed: () => hasFailed,
    };
  };
}

/** A key that reveals nothing: a hash. */
export async function digest(parts: readonly string[]): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(parts));
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return `cybrid-customer-tokens:${Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
