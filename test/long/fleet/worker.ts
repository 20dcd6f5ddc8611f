import { createClient, createKeyv } from "@keyv/redis";
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from "jose";
import { type BankTokenStore, clientCredentials, createCustomerTokensClient } from "../../../src/index.js";
import { sharedStore, type KeyValueStore } from "../../../src/auth/shared-token-store.js";
import { systemClock } from "../../../src/http/deadline.js";

// A process of the fleet. It gets commands as messages, and answers each.

/** What a process is started with. */
export interface Setup {
  url: string;
  clientId: string;
  clientSecret: string;
  customerGuid: string;
  keys: JSONWebKeySet;
  redisUrl: string;
  withAdd: boolean;
  timeoutMs: number;
  /** By how much the fleet's clocks are ahead at the start. */
  offsetMs: number;
}

/** Does so many calls, after the clock has moved; or, without calls, waits for Redis. */
export interface Command {
  calls?: number;
  advanceMs?: number;
}

/** What became of a command. */
export interface Report {
  tokens: number;
  errors: string[];
}

const setup = JSON.parse(process.argv[2] ?? "") as Setup;
const inFlight = 20;

// Offline, a command fails at once instead of waiting for the connection.
const redis = createClient({ url: setup.redisUrl, disableOfflineQueue: true });
redis.on("error", () => {}); // It reconnects.
await redis.connect();

const store: KeyValueStore = setup.withAdd
  ? {
      get: (key) => redis.get(key),
      set: (key, value, ttlMs) => redis.set(key, value, { PX: ttlMs }),
      add: async (key, value, ttlMs) => (await redis.set(key, value, { PX: ttlMs, NX: true })) === "OK",
    }
  : createKeyv(redis);

/** Tokens that are being obtained, also in the background. */
const obtaining = new Set<Promise<unknown>>();
const shared: BankTokenStore = (endpoint) => {
  const tokens = sharedStore(store)(endpoint);
  return {
    ...tokens,
    requestToken(known, send) {
      const token = tokens.requestToken(known, send);
      obtaining.add(token);
      return token.finally(() => obtaining.delete(token));
    },
  };
};

let { offsetMs } = setup;
const { clientId, clientSecret, timeoutMs } = setup;
const client = createCustomerTokensClient({
  auth: clientCredentials({ clientId, clientSecret, store: shared }),
  baseUrl: setup.url,
  timeoutMs,
  clock: {
    now: () => systemClock.now() + offsetMs,
    monotonic: () => systemClock.monotonic() + offsetMs,
    setTimeout: systemClock.setTimeout,
  },
});
const keys = createLocalJWKSet(setup.keys);

async function create(report: Report): Promise<void> {
  try {
    const { access_token } = await client.createCustomerToken({
      customer_guid: setup.customerGuid,
      scopes: ["customers:read"],
    });
    await jwtVerify(access_token, keys, { issuer: setup.url, currentDate: new Date(Date.now() + offsetMs) });
    report.tokens++;
  } catch (error) {
    report.errors.push(String(error));
  }
}

async function run({ calls = 0, advanceMs = 0 }: Command): Promise<Report> {
  offsetMs += advanceMs;
  if (calls === 0) while (!redis.isReady) await new Promise((resolve) => redis.once("ready", resolve));
  const report: Report = { tokens: 0, errors: [] };
  let begun = 0;
  const lane = async () => {
    while (begun++ < calls) await create(report);
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  // The clock must not jump under a renewal.
  await Promise.allSettled(obtaining);
  return report;
}

// The test run was killed.
process.on("disconnect", () => process.exit());
process.on("message", (command: Command) => void run(command).then((report) => process.send?.(report)));
process.send?.({ tokens: 0, errors: [] } satisfies Report);
