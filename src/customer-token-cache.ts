import { contextOf } from "./client-context.js";
import * as keyValueStore from "./auth/key-value-store.js";
import type { KeyValueStore, StoreSession } from "./auth/key-value-store.js";
import { ageMs, fromEntry, lifetimeMs, requestTimes, type TimedToken, toEntry } from "./auth/token-lifetime.js";
import type { CustomerToken, CustomerTokensClient } from "./client.js";
import { TimeoutError } from "./errors.js";
import { type CallOptions, callRules, runCall, systemClock } from "./http/deadline.js";
import { createLog } from "./logger.js";
import {
  areStrings,
  check,
  checkField,
  checkHeaders,
  checkOptions,
  isIntegerFrom,
  isNonEmptyText,
  withMethods,
  type Rules,
} from "./validate.js";

export type { KeyValueStore } from "./auth/key-value-store.js";

/** Options of {@link customerTokenCache}. */
export interface CustomerTokenCacheOptions {
  /**
   * How many tokens are kept in memory. Beyond that, the least recently used one is removed.
   *
   * @default 10_000
   */
  maxEntries?: number | undefined;
  /**
   * A token is reused only if it is valid for at least this many seconds. Its lifetime is `exp` − `iat`, counted from the request
   * for it; if it has no `iat`, `exp` − the time of this machine. A token from the store is looked up there again after as
   * many seconds, so that a wrong clock here cannot keep it in use.
   *
   * @default 60
   */
  minRemainingSeconds?: number | undefined;
  /** Shares the tokens between processes. It contains working tokens: protect it accordingly. Default: none. */
  store?: KeyValueStore | undefined;
  /** Keeps banks apart in a store. Required with `bearer`, which has no client id. Default: none. */
  namespace?: string | undefined;
}

type CustomerTokenRequest = Parameters<CustomerTokensClient["createCustomerToken"]>[0];

/** Keeps customer tokens: made by {@link customerTokenCache}. */
export interface CustomerTokenCache {
  /**
   * Returns a customer's token with exactly these scopes, in any order: a cached one, or else a new one. Concurrent calls
   * share one request to the service, with the options of the first of them. Each still has its own signal and timeout.
   *
   * @throws the errors of `createCustomerToken`
   */
  get: (request: CustomerTokenRequest, options?: CallOptions) => Promise<CustomerToken>;
  /**
   * Removes a customer's tokens from memory and from the store, but does not revoke them. In other processes, the tokens that
   * these requested stay in memory until they expire; those from the store are looked up again every `minRemainingSeconds`.
   *
   * @throws {InvalidArgumentError} for a guid that is not a string
   * @throws the store's error, an error if its `set` returns `false`, or `TimeoutError`: then the tokens may still be in the
   *   store
   */
  delete: (customer_guid: string) => Promise<void>;
}

const rules: Rules<CustomerTokenCacheOptions> = {
  maxEntries: ["a whole number from 1", isIntegerFrom(1)],
  minRemainingSeconds: ["a number of seconds from 0", (seconds) => Number.isFinite(seconds) && seconds >= 0],
  store: keyValueStore.storeRule,
  namespace: ["a name for the bank, if there is a store but no client id", isNonEmptyText],
};

interface Kept {
  guid: string;
  token: TimedToken;
  /** When it is to be looked up in the store again, on the monotonic clock. */
  recheckAt: number;
  /** The key of the store that holds it. */
  storeKey: string | undefined;
}

/**
 * Keeps customer tokens in memory, and in a store if there is one. It sends a request to the service only if it has no token
 * that is valid for long enough.
 *
 * @throws {InvalidArgumentError} naming the option that is wrong
 */
export function customerTokenCache(
  client: Pick<CustomerTokensClient, "createCustomerToken">,
  options: CustomerTokenCacheOptions = {},
): CustomerTokenCache {
  checkField(client, "client", withMethods("createCustomerToken"));
  checkOptions(options, rules);
  const { maxEntries = 10_000, minRemainingSeconds = 60, store, namespace } = options;
  const context = contextOf(client);
  // Without the base URL, a token of one environment would be used in another.
  check(!store || context, "client", "the client itself, or { ...client }, with a store");
  const { baseUrl = "", clientId, timeoutMs = 10_000, clock = systemClock, log = createLog(undefined) } = context ?? {};
  check(namespace || !store || clientId !== undefined, "namespace", rules.namespace[0]);

  /** By customer and scopes, the least recently used first. */
  const kept = new Map<string, Kept>();
  const pending = new Map<string, { guid: string; value: Promise<string>; joinableUntil: number }>();
  /** The generations that `delete` has begun here: a store's replica may not show them yet. */
  const ownGenerations = new Map<string, number>();
  const open = store && keyValueStore.createSessions(store, clock, timeoutMs, log);

  const minRemainingMs = minRemainingSeconds * 1000;
  /** How long a token may be reused, in milliseconds. One without a stated expiry is never reused. */
  const reusableMs = (token: TimedToken) => {
    return Number.isFinite(token.lifetimeMs) ? token.lifetimeMs - ageMs(token, clock) - minRemainingMs : -1;
  };

  function find(key: string): string | undefined {
    const entry = kept.get(key);
    kept.delete(key);
    if (!entry || reusableMs(entry.token) < 0 || clock.monotonic() > entry.recheckAt) return undefined;
    kept.set(key, entry);
    return entry.token.value;
  }

  /** Keeps an entry in a map of limited size. */
  function keep<T>(entries: Map<string, T>, key: string, entry: T): void {
    entries.set(key, entry);
    const [oldest = key] = entries.keys();
    if (entries.size > maxEntries) entries.delete(oldest);
  }

  /** Removes a customer's tokens from memory, also those that are still on their way. */
  function forget(guid: string): void {
    for (const entries of [kept, pending]) {
      for (const [key, entry] of entries) if (entry.guid === guid) entries.delete(key);
    }
  }

  const bank = JSON.stringify([clientId ?? null, namespace ?? null]);
  const keyOf = (guid: string, ...more: string[]) => keyValueStore.digest(["customer", baseUrl, bank, guid, ...more]);

  // The keys of a customer's tokens contain a generation. `delete` begins another one, so that nothing that anybody writes
  // later can bring back an earlier token. A generation is a time, later than all before it.
  function generationOf(guid: string, found: unknown): number {
    return Math.max(Number.isSafeInteger(found) ? (found as number) : 0, ownGenerations.get(guid) ?? 0);
  }
  const generationAfter = (last: number) => Math.max(last + 1, Math.floor(clock.now()));

  /** The key of the store that holds a customer's token with these scopes. */
  async function storeKeyOf(session: StoreSession, guid: string, scopes: string[]): Promise<string> {
    const key = await keyOf(guid);
    let generation = generationOf(guid, await session.get(key));
    if (generation === 0 && !session.hasFailed()) {
      generation = generationAfter(0);
      await session.set(key, generation, keyValueStore.maxTtlMs);
    }
    return keyOf(guid, String(generation), ...[...scopes].sort());
  }

  async function create(guid: string, scopes: string[], callOptions: CallOptions): Promise<TimedToken> {
    const times = requestTimes(clock);
    const request = { customer_guid: guid, scopes } as CustomerTokenRequest;
    const { access_token: value } = await client.createCustomerToken(request, callOptions);
    return { value, ...times, lifetimeMs: lifetimeMs(value, NaN, times.requestedAtWall), isShared: false };
  }

  /** Gets a token from the store or the service, for all calls that want it in the meantime. */
  function begin(guid: string, scopes: string[], key: string, callOptions: CallOptions & { timeoutMs: number }) {
    // Not less than the client's timeout: calls with more time may join.
    const requestMs = Math.max(timeoutMs, callOptions.timeoutMs);
    // Unless `delete` was called in the meantime.
    const isCurrent = () => pending.get(key)?.value === value;
    const value: Promise<string> = (async () => {
      const session = open?.(callOptions.timeoutMs, 1_000);
      const storeKey = session && (await storeKeyOf(session, guid, scopes));
      // A store that mixes up its keys must not give away another customer's token.
      const shared = storeKey && fromEntry(await session?.get(storeKey), [storeKey], clock);
      const isFound = shared && reusableMs(shared) >= 0;
      const token = isFound ? shared : await create(guid, scopes, { ...callOptions, timeoutMs: requestMs });
      if (isCurrent() && reusableMs(token) >= 0) {
        keep(kept, key, { guid, token, recheckAt: isFound ? clock.monotonic() + minRemainingMs : Infinity, storeKey });
        // If the store failed, it may have a token all the same, of a generation that is not known here.
        if (storeKey && !isFound && !session?.hasFailed()) {
          await session?.set(storeKey, toEntry(token, [storeKey], clock), reusableMs(token));
        }
      }
      return token.value;
    })().finally(() => {
      if (isCurrent()) pending.delete(key);
    });
    // On Cloudflare's Workers it never settles once the request that began it has ended.
    pending.set(key, { guid, value, joinableUntil: clock.monotonic() + requestMs + callOptions.timeoutMs / 4 });
    return value;
  }

  return {
    async get(request, callOptions = {}) {
      checkOptions(callOptions, callRules);
      const { signal, timeoutMs: callMs = timeoutMs } = callOptions;
      const headers = checkHeaders(callOptions.headers);
      const { customer_guid: guid, scopes } = Object(request) as { customer_guid: unknown; scopes: unknown };
      // The client's own error names the mistake.
      if (typeof guid !== "string" || !areStrings(scopes)) return client.createCustomerToken(request, callOptions);
      const wanted = [...scopes];
      const key = JSON.stringify([guid, ...[...wanted].sort()]);

      return runCall(clock, { timeoutMs: callMs, signal }, async (call) => {
        for (;;) {
          const found = find(key);
          if (found !== undefined) return { access_token: found };
          const other = pending.get(key);
          const joined = other && clock.monotonic() < other.joinableUntil ? other.value : undefined;
          try {
            return { access_token: await (joined ?? begin(guid, wanted, key, { headers, timeoutMs: callMs })) };
          } catch (error) {
            // The call that it joined ran out of time, this one did not.
            if (!joined || call.signal.aborted || !(error instanceof TimeoutError)) throw error;
          }
        }
      });
    },

    async delete(guid) {
      check(typeof guid === "string", "customer_guid", "a string", typeof guid);
      const mine = [...kept.values()].filter((entry) => entry.guid === guid);
      forget(guid);
      if (!store) return;
      await runCall(clock, { timeoutMs }, async () => {
        const key = await keyOf(guid);
        const generation = generationAfter(generationOf(guid, await keyValueStore.read(store, key)));
        keep(ownGenerations, guid, generation);
        // A call that began in the meantime may have found an earlier token.
        forget(guid);
        await keyValueStore.write(store, key, generation, keyValueStore.maxTtlMs);
        // Nobody finds these entries any more, but they need not stay until they expire.
        const { write, minTtlMs } = keyValueStore;
        const storeKeys = mine.flatMap(({ storeKey }) => storeKey ?? []);
        await Promise.allSettled(storeKeys.map((storeKey) => write(store, storeKey, null, minTtlMs)));
      });
    },
  };
}
