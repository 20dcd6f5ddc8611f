import type { BankTokenStore, SendTokenRequest } from "./bank-token-cache.js";
import { createSessions, digest, type KeyValueStore, storeRule, type StoreSession } from "./key-value-store.js";
import { requiredWaitSeconds, windowMs } from "./quota.js";
import { fromEntry, type TimedToken, toEntry } from "./token-lifetime.js";
import { checkField, checkOptions, timeoutRule } from "../validate.js";

export type { KeyValueStore } from "./key-value-store.js";

/** Options of {@link sharedStore}. */
export interface SharedStoreOptions {
  /**
   * Time that the store has for one operation, in milliseconds. Several in a row have a quarter of the client's `timeoutMs`
   * together. A store that takes longer is not used for the next `timeoutMs`.
   *
   * @default 1_000
   */
  operationTimeoutMs?: number | undefined;
}

/** A claim, as JSON: until it ends, only its holder may request a token. The holder writes it again with the outcome. */
interface Claim {
  state: "requesting" | "failed" | "issued";
  /** How long it lasts, in milliseconds. */
  waitMs: number;
  /** When it ends, on the wall clock of its holder. */
  until: number;
  /** HTTP status of the failure. */
  status?: number | undefined;
}

/** How long nobody requests a token after a failure, in milliseconds. Each quick retry is taken once in five minutes. */
const quickRetriesMs = [1_000, 2_000, 4_000];
/** How long a claim lasts. With the quick retries, that makes 15 requests in five minutes. */
const claimMs = windowMs / 12;
const pollMs = 100;
/** The least time that a process waits for another one's token before it requests one as well; the most is twice that. */
const leastPatienceMs = 1_500;

/**
 * Shares bank tokens between the processes that use the same store, so that a fleet requests one token instead of one each.
 *
 * If the store throws, hangs or returns nonsense, calls are slower, but none fails: the process then requests its own token.
 * The store contains working bank tokens: protect it as you protect the client secret.
 *
 * @param store Where tokens are kept
 * @throws {InvalidArgumentError} if `store` has no `get` and `set`, or an option is wrong
 */
export function sharedStore(store: KeyValueStore, options: SharedStoreOptions = {}): BankTokenStore {
  checkField(store, "store", storeRule);
  checkOptions(options, { operationTimeoutMs: timeoutRule });
  const { operationTimeoutMs = 1_000 } = options;

  return ({ identity, timeoutMs, clock, random, log }) => {
    const open = createSessions(store, clock, timeoutMs, log);
    let key = "";
    async function begin(): Promise<StoreSession> {
      // Only once there is a call: Workers refuse to hash outside of a request.
      key ||= await digest(identity);
      return open(timeoutMs, operationTimeoutMs);
    }
    /** The claim that was seen last, and since when: it counts for `waitMs` at most, however wrong its writer's clock is. */
    let seen = { until: NaN, at: 0 };

    /** The store's token, if it is newer than `known`. */
    async function readToken({ get }: StoreSession, known: TimedToken | undefined): Promise<TimedToken | undefined> {
      const token = fromEntry(await get(key), identity, clock);
      if (!token || token.value === known?.value) return undefined;
      return known && token.requestedAtMonotonic <= known.requestedAtMonotonic ? undefined : token;
    }

    async function saveToken(session: StoreSession, token: TimedToken, known: TimedToken | undefined): Promise<void> {
      const stored = await readToken(session, known);
      // A slow process must not replace a newer token.
      if (stored && stored.requestedAtMonotonic > token.requestedAtMonotonic) return;
      await session.set(key, toEntry(token, identity, clock), token.lifetimeMs);
    }

    const toClaim = (state: Claim["state"], waitMs: number, status?: number): Claim => {
      return { state, waitMs, until: clock.now() + waitMs, status };
    };

    /** The claim in the store, and how long it still lasts. Do not trust it: anybody may have written it. */
    async function readClaim({ get }: StoreSession): Promise<(Claim & { leftMs: number }) | undefined> {
      const claim = Object(await get(`${key}:claim`)) as Claim;
      const now = clock.monotonic();
      if (claim.until !== seen.until) seen = { until: claim.until, at: now };
      const leftMs = Math.min(claim.until - clock.now(), Math.min(claim.waitMs, windowMs) - (now - seen.at));
      // A list would look like a new end at each reading.
      return leftMs > 0 && typeof claim.until === "number" ? { ...claim, leftMs } : undefined;
    }

    /** Uses up a quick retry, if one is left: after a failure, or if a holder seems to have died. */
    async function takeQuickRetry({ add }: StoreSession): Promise<number | undefined> {
      for (const waitMs of quickRetriesMs) if (await add?.(`${key}:retry-${waitMs}`, windowMs)) return waitMs;
      return undefined;
    }

    /** Sends a request, stores its token, and says in the claim when the next one may follow. */
    async function requestForFleet(session: StoreSession, known: TimedToken | undefined, send: SendTokenRequest) {
      const own = toClaim("requesting", claimMs);
      await session.set(`${key}:claim`, own, claimMs);
      let claim = toClaim("issued", 0);
      try {
        const outcome = await send();
        if (outcome.kind === "token") {
          await saveToken(session, outcome.token, known);
          // The fleet replaces the next token early no sooner than that.
          if (outcome.isEarly) claim = toClaim("issued", claimMs);
        }
        if (outcome.kind === "failed") {
          const { status, headers } = Object(outcome.error) as Partial<Response>;
          const requiredMs = requiredWaitSeconds(status, headers, clock) * 1000;
          const waitMs = (requiredMs < claimMs && (await takeQuickRetry(session))) || claimMs;
          claim = toClaim("failed", Math.max(waitMs, requiredMs), status);
        }
        return outcome;
      } finally {
        const found = await readClaim(session);
        // It does not end at once: a process that looked before the token was stored must look again before it can claim. If
        // this process was slow, the claim is another one's by now.
        if (!found || found.until === own.until || found.leftMs < claim.waitMs) {
          await session.set(`${key}:claim`, claim, claim.waitMs);
        }
      }
    }

    return {
      readShared: async (known) => readToken(await begin(), known),

      async requestToken(known, send) {
        const startedAt = clock.monotonic();
        const patienceMs = leastPatienceMs * (1 + random());
        for (;;) {
          const session = await begin();
          const found = await readToken(session, known);
          if (found) return { kind: "token", token: found };
          if (!session.add) {
            const outcome = await send();
            if (outcome.kind === "token") await saveToken(session, outcome.token, known);
            return outcome;
          }
          const isClaimed = await session.add(`${key}:claim`, claimMs);
          if (isClaimed !== false) return requestForFleet(session, known, send);
          const claim = await readClaim(session);
          const now = clock.monotonic();
          if (claim && claim.state !== "requesting") {
            const { state, status, leftMs } = claim;
            if (state === "failed") {
              const failure = new Error("another process's token request failed");
              if (Number.isInteger(status)) Object.assign(failure, { status });
              return { kind: "paused", until: now + leftMs, failure };
            }
            // Its token is the newest, even if it looks older by the clock of the process that requested it.
            const token = await readToken(session, known && { ...known, requestedAtMonotonic: NaN });
            return token ? { kind: "token", token } : { kind: "paused", until: now + leftMs };
          }
          const isPatient = now < (claim ? seen.at : startedAt) + patienceMs;
          if (!isPatient && (!claim || (await takeQuickRetry(session)))) {
            log.warn("the process that was requesting a token has stopped responding: requesting one here");
            return requestForFleet(session, known, send);
          }
          await new Promise<void>((resolve) => void clock.setTimeout(resolve, pollMs * (0.5 + random())));
        }
      },
    };
  };
}
