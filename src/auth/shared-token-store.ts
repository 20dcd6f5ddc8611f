import type { Ask, BankTokenStore } from "./bank-token-cache.js";
import { aStore, createSessions, digest, type KeyValueStore, minTtlMs, type StoreSession } from "./key-value-store.js";
import { askedWaitSeconds, spacingMs, windowMs } from "./quota.js";
import { fromEntry, type LivingToken, toEntry } from "./token-life.js";
import { aTimeout, checkField, checkOptions } from "../validate.js";

export type { KeyValueStore } from "./key-value-store.js";

/** Options of {@link sharedStore}. */
export interface SharedStoreOptions {
  /**
   * Time that the store has for one operation, in milliseconds. Several in a row have a quarter of the client's `timeoutMs`
   * together. A store that takes longer is left alone for the next `timeoutMs`.
   *
   * @default 1_000
   */
  operationTimeoutMs?: number | undefined;
}

/** The fleet's record, as JSON: nobody asks before a time. Written by whoever holds the claim to ask. */
interface Pause {
  /** How many requests have failed lately. One under way counts as failed, since its end may never be heard of. */
  failures: number;
  /** How long nobody may ask, in milliseconds. */
  waitMs: number;
  /** When that ends, on the wall clock of whoever wrote it. */
  until: number;
  /** The outcome of the latest request. One that is still under way is worth waiting for. */
  state: "asking" | "failed" | "given";
  /** HTTP status of the failure. */
  status?: number | undefined;
}

/** So far apart are requests that replace a token early: 15 in five minutes. */
const earlySpacingMs = windowMs / 15;
const pollMs = 100;
/** For so long a process waits for a token that it has no sign of. */
const blindMs = 1_500;

/**
 * Shares bank tokens between the processes that use the same store, so that a fleet asks for one token instead of one each.
 *
 * A store that throws, hangs or lies costs time, and never a call: the process then asks for its own token. The store
 * holds live bank tokens: protect it as you protect the client secret.
 *
 * @param store Where tokens are kept
 * @throws {InvalidArgumentError} if `store` has no `get` and `set`, or an option is wrong
 */
export function sharedStore(store: KeyValueStore, options: SharedStoreOptions = {}): BankTokenStore {
  checkField(store, "store", aStore);
  checkOptions(options, { operationTimeoutMs: aTimeout });
  const { operationTimeoutMs = 1_000 } = options;

  return ({ identity, timeoutMs, clock, random, log }) => {
    const open = createSessions(store, clock, timeoutMs, log);
    let key = "";
    async function begin(): Promise<StoreSession> {
      // Not before a call: Workers refuse to hash outside of one.
      key ||= await digest(identity);
      return open(timeoutMs, operationTimeoutMs);
    }
    /** The record that was seen last, and since when: however wrong its writer's clock, it counts for `waitMs` at most. */
    let seen = { until: NaN, at: 0 };

    /** So short that, if its holder dies, another process has time for its own claim and request. */
    const claimMs = (failures: number) => Math.max(minTtlMs, timeoutMs / 4, spacingMs(failures));

    /** The store's token, if it is newer than `known`. */
    async function readToken({ get }: StoreSession, known: LivingToken | undefined): Promise<LivingToken | undefined> {
      const token = fromEntry(await get(key), identity, clock);
      if (!token || token.value === known?.value) return undefined;
      return known && token.requestedAtMonotonic <= known.requestedAtMonotonic ? undefined : token;
    }

    async function saveToken(session: StoreSession, token: LivingToken, known: LivingToken | undefined): Promise<void> {
      const stored = await readToken(session, known);
      // A slow process must not put its token over a newer one.
      if (stored && stored.requestedAtMonotonic > token.requestedAtMonotonic) return;
      await session.set(key, toEntry(token, identity, clock), token.lifetimeMs);
    }

    /** The fleet's record, and how long it still counts. Anybody may have written there. */
    async function readPause({ get }: StoreSession): Promise<(Pause & { leftMs: number }) | undefined> {
      const pause = Object(await get(`${key}:quota`)) as Pause;
      const { failures, waitMs, until, status = 0 } = pause;
      const isRight =
        [failures, status].every((count) => Number.isInteger(count) && count >= 0) &&
        [waitMs, until].every(Number.isFinite) &&
        waitMs <= windowMs;
      if (!isRight) return undefined;
      const now = clock.monotonic();
      if (until !== seen.until) seen = { until, at: now };
      return { ...pause, leftMs: Math.min(until - clock.now(), waitMs - (now - seen.at)) };
    }

    /** @returns when the pause ends, which identifies this record */
    async function writePause({ set }: StoreSession, pause: Omit<Pause, "until">): Promise<number> {
      const until = clock.now() + pause.waitMs;
      await set(`${key}:quota`, { ...pause, until }, windowMs);
      return until;
    }

    /** Sends a request, stores its token, and records the outcome for the fleet. */
    async function askForAll(session: StoreSession, known: LivingToken | undefined, failures: number, ask: Ask) {
      const [askedAt, waitMs] = [clock.monotonic(), claimMs(failures)];
      const until = await writePause(session, { failures: failures + 1, waitMs, state: "asking" });
      const outcome = await ask();
      if (outcome.kind === "token") {
        await saveToken(session, outcome.token, known);
        const after = outcome.wasDue ? { failures: 0, waitMs: 0 } : { failures, waitMs: earlySpacingMs };
        await writePause(session, { ...after, state: "given" });
      }
      if (outcome.kind === "failed") {
        const { status, headers } = Object(outcome.error) as Partial<Response>;
        const spacedMs = askedAt + spacingMs(failures) - clock.monotonic();
        const waitMs = Math.max(0, spacedMs, askedWaitSeconds(status, headers, clock) * 1000);
        const now = await readPause(session);
        // Another process has asked since, and its pause is longer.
        if (now && now.until !== until && now.leftMs > waitMs) return outcome;
        await writePause(session, {
          failures: Math.max(failures + 1, now?.failures ?? 0),
          waitMs,
          state: "failed",
          status,
        });
      }
      return outcome;
    }

    return {
      readShared: async (known) => readToken(await begin(), known),

      async requestToken(known, ask) {
        const patienceMs = blindMs * (1 + random());
        let lastSign = clock.monotonic();
        for (;;) {
          const session = await begin();
          const found = await readToken(session, known);
          if (found) return { kind: "token", token: found, wasDue: false };
          if (!session.add) {
            const outcome = await ask();
            if (outcome.kind === "token") await saveToken(session, outcome.token, known);
            return outcome;
          }
          const pause = await readPause(session);
          const now = clock.monotonic();
          if (pause && pause.leftMs > 0) {
            const { state, status, leftMs } = pause;
            // Its token is the newest, even if it looks older by the clock of whoever asked for it.
            const given =
              state === "given" && (await readToken(session, known && { ...known, requestedAtMonotonic: NaN }));
            if (given) return { kind: "token", token: given, wasDue: false };
            if (state !== "asking") return { kind: "held", until: now + leftMs, hasFailed: state === "failed", status };
            lastSign = now;
          }
          const failures = pause?.failures ?? 0;
          const isClaimed = await session.add(`${key}:claim`, claimMs(failures));
          if (isClaimed === false && now < lastSign + patienceMs) {
            await new Promise<void>((resolve) => void clock.setTimeout(resolve, pollMs * (0.5 + random())));
            continue;
          }
          if (isClaimed === false)
            log.warn("the store shows no sign of the process that asks: this one asks for itself");
          try {
            return await askForAll(session, known, failures, ask);
          } finally {
            // It may be another's by now. And it does not end at once: a process that looked before the token was stored must
            // look again before it can claim.
            const isOwn = isClaimed && clock.monotonic() < now + claimMs(failures) - operationTimeoutMs;
            if (isOwn) await session.set(`${key}:claim`, 0, minTtlMs);
          }
        }
      },
    };
  };
}
