import { emptyLedger, type Ledger, ledgerSize, windowMs } from "./quota.js";
import type { BankToken, BankTokenStore } from "./bank-token-cache.js";
import { checkStore, createSessions, type KeyValueStore, minTtlMs, type StoreSession } from "./key-value-store.js";
import { expiresAt } from "./jwt.js";
import { checkFields, checkTimeout, visibleAscii } from "../validate.js";

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

/** What is stored, as JSON. Times are of the wall clock, the only one that processes share. */
interface Entry {
  identity: readonly string[];
  token: string;
  requestedAt: number;
  /** `null` where nobody states one. */
  lifetimeMs: number | null;
}

/** The fleet's ledger as it is stored, with times of the wall clock. */
interface LedgerEntry {
  ledger: Ledger;
  savedAt: number;
}

/** How far the clocks of two machines may be apart before what one of them stored counts as a lie, in milliseconds. */
const clockToleranceMs = 5_000;
const pollMs = 100;

/**
 * Shares bank tokens between the processes that use the same store, so that a fleet asks for one token instead of one each.
 *
 * A store that throws, hangs or lies costs time, and never a call: the process then asks for a token of its own. The store
 * holds live bank tokens: protect it as you protect the client secret.
 *
 * @param store Where tokens are kept
 * @throws {InvalidArgumentError} where `store` has no `get` and `set`, or an option is wrong
 */
export function sharedStore(store: KeyValueStore, options: SharedStoreOptions = {}): BankTokenStore {
  checkStore(store);
  checkFields("options", options, ["operationTimeoutMs"]);
  const operationTimeoutMs = checkTimeout("operationTimeoutMs", options.operationTimeoutMs ?? 1_000);

  return ({ identity, timeoutMs, clock, random }) => {
    const open = createSessions(store, clock, timeoutMs);
    const begin = () => open(identity, timeoutMs, operationTimeoutMs);
    // So short that, if its holder dies, another process has time for a claim and a request of its own.
    const claimMs = Math.max(minTtlMs, Math.ceil(timeoutMs / 4));

    /** The store's token, where it is newer than `known`, and alive by its own word, by the JWT's, and by the wall clock. */
    async function readToken({ get }: StoreSession, known: BankToken | undefined): Promise<BankToken | undefined> {
      const entry = checkEntry(await get(""), identity);
      if (!entry || entry.token === known?.value) return undefined;
      const ageMs = clock.now() - entry.requestedAt;
      const ownMs = entry.lifetimeMs ?? Infinity;
      const lifetimeMs = Math.min(ownMs, (expiresAt(entry.token)?.getTime() ?? Infinity) - entry.requestedAt);
      // Never in the future, however fast that machine's clock: what replaces it must count as newer.
      const requestedAt = clock.monotonic() - Math.max(0, ageMs);
      if (ageMs < -clockToleranceMs || ageMs >= lifetimeMs) return undefined;
      if (known && requestedAt <= known.requestedAt) return undefined;
      return { value: entry.token, requestedAt, requestedOn: entry.requestedAt, lifetimeMs, isShared: true };
    }

    async function saveToken(session: StoreSession, token: BankToken, known: BankToken | undefined): Promise<void> {
      const stored = await readToken(session, known);
      // A slow process must not put its token over a newer one.
      if (stored && stored.requestedAt > token.requestedAt) return;
      const entry: Entry = {
        identity,
        token: token.value,
        requestedAt: clock.now() - (clock.monotonic() - token.requestedAt),
        lifetimeMs: token.lifetimeMs === Infinity ? null : token.lifetimeMs,
      };
      await session.set("", entry, token.lifetimeMs);
    }

    /** What the fleet has sent, on this process's monotonic clock. */
    async function readLedger({ get }: StoreSession): Promise<Ledger> {
      const entry = checkLedgerEntry(await get(":quota"), clock.now());
      return entry ? shift(entry.ledger, clock.monotonic() - clock.now()) : emptyLedger;
    }

    async function updateLedger(session: StoreSession, change: (ledger: Ledger) => Ledger): Promise<Ledger> {
      const ledger = change(await readLedger(session));
      const entry: LedgerEntry = { ledger: shift(ledger, clock.now() - clock.monotonic()), savedAt: clock.now() };
      await session.set(":quota", entry, windowMs);
      return ledger;
    }

    return {
      readShared: async (known) => readToken(await begin(), known),

      async requestToken(known, request) {
        // Who waits for another process still has time for a request of its own. The spread keeps a fleet from
        // giving up all at once.
        const waitUntil = clock.monotonic() + timeoutMs * (0.5 + 0.25 * random());
        for (;;) {
          const session = await begin();
          const { add, set } = session;
          const found = await readToken(session, known);
          if (found) return found;
          // Without `add`, processes overwrite each other's ledger.
          const fleet = add && {
            isClaimed: await add(":claim", claimMs),
            ledger: await readLedger(session),
            update: (change: (ledger: Ledger) => Ledger) => updateLedger(session, change),
          };
          // After a failure, no process stores a token before the wait is over.
          const isHeldUp = fleet && !fleet.ledger.isPending && fleet.ledger.retryAt > clock.monotonic();
          if (fleet?.isClaimed === false && !isHeldUp && clock.monotonic() < waitUntil) {
            await new Promise<void>((resolve) => void clock.setTimeout(resolve, pollMs * (0.5 + random())));
            continue;
          }
          try {
            const token = await request(fleet);
            if (token) await saveToken(session, token, known);
            return token;
          } finally {
            // Not released at once: a process that looked before the token was stored must look again before it can claim.
            if (fleet?.isClaimed) await set(":claim", 0, minTtlMs);
          }
        }
      },
    };
  };
}

/** What the store gave, where it has the right shape: anybody may have written there. */
function checkEntry(value: unknown, expected: readonly string[]): Entry | undefined {
  const { identity, token, requestedAt, lifetimeMs } = Object(value) as Partial<Entry>;
  const isRight =
    Array.isArray(identity) &&
    identity.length === expected.length &&
    identity.every((part, index) => part === expected[index]) &&
    typeof token === "string" &&
    visibleAscii.test(token) &&
    Number.isFinite(requestedAt) &&
    (lifetimeMs === null || (typeof lifetimeMs === "number" && lifetimeMs > 0));
  return isRight ? (value as Entry) : undefined;
}

/** Moves a ledger's times from one clock to another. Those of long ago may as well be: JSON has no infinity. */
function shift(ledger: Ledger, byMs: number): Ledger {
  const there = (timeMs: number) => Math.max(timeMs, -Number.MAX_SAFE_INTEGER) + byMs;
  return {
    ...ledger,
    sent: ledger.sent.map(there),
    counted: ledger.counted.map(there),
    retryAt: there(ledger.retryAt),
  };
}

/**
 * The ledger that the store gave, where it has the right shape. Whatever stands there holds token requests up for no more
 * than five minutes after it was written.
 */
function checkLedgerEntry(value: unknown, now: number): LedgerEntry | undefined {
  const { ledger, savedAt } = Object(value) as Partial<LedgerEntry>;
  const { sent, counted, failures, retryAt, status = 0 } = Object(ledger) as Partial<Ledger>;
  const isTime = (time: unknown, latest: unknown) => typeof time === "number" && time <= Number(latest);
  const areTimes = (times: unknown) =>
    Array.isArray(times) && times.length <= ledgerSize && times.every((time) => isTime(time, savedAt));
  const isRight =
    isTime(savedAt, now + clockToleranceMs) &&
    isTime(retryAt, Number(savedAt) + windowMs) &&
    areTimes(sent) &&
    areTimes(counted) &&
    [failures, status].every((count) => Number.isInteger(count) && Number(count) >= 0);
  return isRight ? (value as LedgerEntry) : undefined;
}
