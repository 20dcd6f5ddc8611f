import { clientContext } from "./client-context.js";
import { expiresAt } from "./auth/jwt.js";
import { checkStore, createSessions, digest, type KeyValueStore, minTtlMs } from "./auth/key-value-store.js";
import type { CustomerToken, CustomerTokensClient } from "./client.js";
import { InvalidArgumentError, TimeoutError } from "./errors.js";
import type { CallOptions } from "./http/openapi-fetch.js";
import { runCall } from "./http/deadline.js";
import { systemClock } from "./http/clock.js";
import { checkFields, checkHeaders, checkTimeout, printableAscii } from "./validate.js";

export type { KeyValueStore } from "./auth/key-value-store.js";

/** Options of {@link customerTokenCache}. */
export interface CustomerTokenCacheOptions {
  /**
   * How many tokens are kept in memory. Beyond it, the least recently used one goes.
   *
   * @default 10_000
   */
  maxEntries?: number | undefined;
  /**
   * For how many seconds a token must still be valid, by its `exp` claim, to be given again.
   *
   * @default 60
   */
  minRemainingSeconds?: number | undefined;
  /** Shares the tokens between processes. It holds tokens that work: protect it accordingly. Default: none. */
  store?: KeyValueStore | undefined;
  /** Keeps banks apart in a store. Required with `bearer`, which knows no client id. Default: none. */
  namespace?: string | undefined;
}

type CustomerTokenRequest = Parameters<CustomerTokensClient["createCustomerToken"]>[0];

/** Keeps customer tokens: made by {@link customerTokenCache}. */
export interface CustomerTokenCache {
  /**
   * Gives a customer's token with exactly these scopes, in any order: a kept one, or else a new one. Calls at the same time
   * share one request to the service, with the options of the first of them; each still has its own signal and deadline.
   *
   * @throws what `createCustomerToken` throws
   */
  get(request: CustomerTokenRequest, options?: CallOptions): Promise<CustomerToken>;
  /**
   * Forgets a customer's tokens, here and in the store. They stay valid, and other processes keep theirs in memory.
   *
   * @throws {InvalidArgumentError} for a guid that is no string
   * @throws what the store throws, or `TimeoutError`: then the tokens may still be in the store
   */
  delete(customer_guid: string): Promise<void>;
}

/** What the cache needs of a client. */
interface Client extends Pick<CustomerTokensClient, "createCustomerToken"> {
  [clientContext]?: { baseUrl: string; clientId: string | undefined; timeoutMs: number; clock: typeof systemClock };
}

/** How many tokens of one customer a store is given. */
const maxStoredTokens = 100;

/**
 * Keeps customer tokens in memory, and in a store if there is one, so that the service is asked only when no kept token
 * will do.
 *
 * @throws {InvalidArgumentError} naming the option that is wrong
 */
export function customerTokenCache(
  client: Pick<CustomerTokensClient, "createCustomerToken">,
  options: CustomerTokenCacheOptions = {},
): CustomerTokenCache {
  checkFields("options", options, ["maxEntries", "minRemainingSeconds", "store", "namespace"]);
  const { maxEntries = 10_000, minRemainingSeconds = 60, store, namespace } = options;
  if (typeof client?.createCustomerToken !== "function") {
    throw new InvalidArgumentError("client", "a client made by createCustomerTokensClient");
  }
  if (!Number.isInteger(maxEntries) || maxEntries < 1) {
    throw new InvalidArgumentError("maxEntries", "a whole number from 1");
  }
  if (!Number.isFinite(minRemainingSeconds) || minRemainingSeconds < 0) {
    throw new InvalidArgumentError("minRemainingSeconds", "a number of seconds from 0");
  }
  if (store !== undefined) checkStore(store);
  const fallback = { baseUrl: "", clientId: undefined, timeoutMs: 10_000, clock: systemClock };
  const { baseUrl, clientId, timeoutMs, clock } = (client as Client)[clientContext] ?? fallback;
  const isNamed = typeof namespace === "string" && namespace !== "";
  if (!isNamed && (namespace !== undefined || (store && clientId === undefined))) {
    throw new InvalidArgumentError("namespace", "a name for the bank, where there is a store but no client id");
  }

  /** By customer and scopes, the least recently used first. */
  const kept = new Map<string, { guid: string; token: string }>();
  const pending = new Map<string, { guid: string; token: Promise<string>; until: number }>();
  const open = store && createSessions(store, clock, timeoutMs);

  const remainingMs = (token: string) => (expiresAt(token)?.getTime() ?? -Infinity) - clock.now();
  const serves = (token: unknown): token is string =>
    typeof token === "string" && printableAscii.test(token) && remainingMs(token) >= minRemainingSeconds * 1000;

  function find(key: string): string | undefined {
    const entry = kept.get(key);
    kept.delete(key);
    if (!entry || !serves(entry.token)) return undefined;
    kept.set(key, entry);
    return entry.token;
  }

  function keep(key: string, guid: string, token: string): void {
    kept.set(key, { guid, token });
    const [oldest = key] = kept.keys();
    if (kept.size > maxEntries) kept.delete(oldest);
  }

  const bank = JSON.stringify([clientId ?? null, namespace ?? null]);
  const identityOf = (guid: string) => ["customer", baseUrl, bank, guid];

  /** Gets a token from the store or the service, for every call that wants it meanwhile. */
  function begin(guid: string, scopes: string[], key: string, callOptions: CallOptions & { timeoutMs: number }) {
    // No less than the client's: calls with more time may join.
    const requestMs = Math.max(timeoutMs, callOptions.timeoutMs);
    const scopesKey = JSON.stringify([...scopes].sort());
    const isCurrent = () => pending.get(key)?.token === token;
    const token: Promise<string> = (async () => {
      const session = await open?.(identityOf(guid), callOptions.timeoutMs, 1_000);
      /** The customer's tokens in the store, by scopes. */
      async function readShared(): Promise<Record<string, string>> {
        const entry = Object(await session?.get("")) as { key?: unknown; tokens?: unknown };
        // A store that mixes up its keys must not give away another customer's token.
        const tokens = entry.key === session?.key ? Object.entries(Object(entry.tokens) as object) : [];
        return Object.fromEntries(tokens.filter(([, token]) => serves(token)).slice(-maxStoredTokens + 1));
      }
      const shared = (await readShared())[scopesKey];
      if (shared !== undefined) {
        if (isCurrent()) keep(key, guid, shared);
        return shared;
      }
      const request = { customer_guid: guid, scopes } as CustomerTokenRequest;
      const answer = await client.createCustomerToken(request, { ...callOptions, timeoutMs: requestMs });
      const { access_token: created } = answer;
      // Unless `delete` came meanwhile.
      if (isCurrent() && serves(created)) {
        keep(key, guid, created);
        const tokens = { ...(await readShared()), [scopesKey]: created };
        const ttlMs = Math.max(...Object.values(tokens).map(remainingMs));
        if (isCurrent()) await session?.set("", { key: session.key, tokens }, ttlMs);
      }
      return created;
    })().finally(() => {
      if (isCurrent()) pending.delete(key);
    });
    // On Cloudflare's Workers it never settles once the request that began it has ended.
    pending.set(key, { guid, token, until: clock.monotonic() + requestMs + callOptions.timeoutMs / 4 });
    return token;
  }

  return {
    async get(request, callOptions = {}) {
      checkFields("options", callOptions, ["signal", "timeoutMs", "headers"]);
      const { signal } = callOptions;
      const headers = checkHeaders(callOptions.headers);
      const callMs = checkTimeout("timeoutMs", callOptions.timeoutMs ?? timeoutMs);
      const { customer_guid: guid, scopes } = Object(request) as { customer_guid: unknown; scopes: unknown };
      const areScopes = (value: unknown): value is string[] =>
        Array.isArray(value) && value.every((scope) => typeof scope === "string");
      // The client says what is wrong with it.
      if (typeof guid !== "string" || !areScopes(scopes)) return client.createCustomerToken(request, callOptions);
      const wanted = [...scopes];
      const key = JSON.stringify([guid, ...[...wanted].sort()]);

      return runCall(clock, { timeoutMs: callMs, signal }, async (call) => {
        for (;;) {
          const found = find(key);
          if (found !== undefined) return { access_token: found };
          const other = pending.get(key);
          const joined = other && clock.monotonic() < other.until ? other.token : undefined;
          try {
            return { access_token: await (joined ?? begin(guid, wanted, key, { headers, timeoutMs: callMs })) };
          } catch (error) {
            // The time of the call that it joined was up, its own is not.
            if (!joined || call.signal.aborted || !(error instanceof TimeoutError)) throw error;
          }
        }
      });
    },

    async delete(guid) {
      if (typeof guid !== "string") throw new InvalidArgumentError("customer_guid", "a string", typeof guid);
      for (const entries of [kept, pending]) {
        for (const [key, entry] of entries) if (entry.guid === guid) entries.delete(key);
      }
      if (!store) return;
      const key = await digest(identityOf(guid));
      await runCall(clock, { timeoutMs }, async () => store.set(key, "{}", minTtlMs));
    },
  };
}
