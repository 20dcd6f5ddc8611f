import { getEventListeners } from "node:events";
import {
  clientCredentials,
  createCustomerTokensClient,
  type CustomerTokensClient,
  TimeoutError,
} from "../../src/index.js";
import { bank, withStore } from "./client.js";
import { FakeClock } from "./clock.js";
import { customerToken, cutOff, request, stale, tokenResponse } from "./service.js";
import { AddingStore, MemoryStore, slow } from "./store.js";

/** Numbers from 0 to 1 that a seed determines (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A response of a simulated server, or trouble. */
export type Simulated = Response | "reset" | "cut" | "hang";

export interface World {
  /** Calls of each process in a second. */
  perSecond: number;
  /** How long calls are begun, in seconds. */
  seconds: number;
  timeoutMs?: number;
  maxRetries?: number;
  /** Life of a bank token. */
  lifetimeSeconds?: number;
  /** The token endpoint's response; `undefined`: a token. */
  token?: (world: Running) => Simulated | undefined;
  /** The endpoint's response to a token that it accepts; `undefined`: a customer token. */
  customerToken?: (world: Running) => Simulated | undefined;
  /** Clients, of as many processes or of one. */
  processes?: number;
  /** A store that they share. */
  store?: "with add" | "without add";
  /** The values in the store at the start, by their keys. */
  stored?: (key: string, world: Running) => string | undefined;
  /** Seconds after which each process starts anew. */
  restartEvery?: number;
  /** Calls back at its own times. */
  plot?: (world: Running) => void;
}

export interface Running {
  clock: FakeClock;
  random: () => number;
  seconds: number;
  /** From now on, no token that was given so far is accepted. */
  revoke(): void;
}

/** Lets processes call a service for a while, and tells what came of it. */
export async function simulate(world: World, seed: number) {
  const { timeoutMs = 10_000, maxRetries = 2, lifetimeSeconds = 1800, processes = 1 } = world;
  const random = seededRandom(seed);
  const clock = new FakeClock();
  const tokenRequests: number[] = [];
  const outcomes: { begunAt: number; endedAt: number; error: unknown }[] = [];
  const signals = new Set<AbortSignal>();
  /** When each bank token ends. */
  const valid = new Map<string, number>();
  const running: Running = {
    clock,
    random,
    get seconds() {
      return clock.elapsedMs / 1000;
    },
    revoke: () => valid.clear(),
  };

  function respondTo(url: string, headers: Headers): Simulated {
    if (url.endsWith("/oauth/token")) {
      tokenRequests.push(clock.elapsedMs);
      const response = world.token?.(running);
      if (response) return response;
      const token = `bank-${tokenRequests.length}`;
      valid.set(`Bearer ${token}`, clock.wallMs + lifetimeSeconds * 1000);
      return tokenResponse(token, lifetimeSeconds);
    }
    const endsAt = valid.get(headers.get("authorization") ?? "") ?? -Infinity;
    return clock.wallMs >= endsAt ? stale() : (world.customerToken?.(running) ?? customerToken("customer"));
  }

  async function fetch(url: string, init: RequestInit & { headers: Headers }): Promise<Response> {
    const signal = init.signal as AbortSignal;
    signals.add(signal);
    const response = respondTo(url, init.headers);
    await new Promise<void>((resolve, reject) => {
      const abort = () => {
        cancel();
        reject(signal.reason as Error);
      };
      const arrive = () => {
        signal.removeEventListener("abort", abort);
        resolve();
      };
      const cancel = response === "hang" ? () => {} : clock.setTimeout(arrive, 5 + 45 * random());
      signal.addEventListener("abort", abort, { once: true });
    });
    if (response === "cut") return cutOff(200);
    if (response instanceof Response) return response.clone();
    throw new TypeError("fetch failed");
  }

  const memory = world.store === "with add" ? new AddingStore(clock) : new MemoryStore(clock);
  const { get } = memory;
  const shared = slow(
    Object.assign(memory, { get: (key: string) => get(key) ?? world.stored?.(key, running) }),
    clock,
    1,
  );
  const start = () =>
    createCustomerTokensClient({
      auth: world.store ? withStore(shared) : clientCredentials(bank),
      baseUrl: "https://idp.example",
      fetch,
      clock,
      random,
      timeoutMs,
      maxRetries,
    });
  const { signal } = new AbortController();
  signals.add(signal);

  function call(client: CustomerTokensClient): void {
    const begunAt = clock.elapsedMs;
    const end = (error: unknown) => void outcomes.push({ begunAt, endedAt: clock.elapsedMs, error });
    client.createCustomerToken(request, { signal }).then(() => end(undefined), end);
  }

  for (let nth = 0; nth < processes; nth++) {
    let client = start();
    let startedAt = 0;
    const next = () => {
      if (running.seconds >= world.seconds) return;
      if (world.restartEvery && running.seconds - startedAt >= world.restartEvery) {
        client = start();
        startedAt = running.seconds;
      }
      call(client);
      clock.setTimeout(next, (1000 / world.perSecond) * (0.5 + random()));
    };
    clock.setTimeout(next, 0);
  }
  world.plot?.(running);
  await clock.runUntil(world.seconds * 1000);
  await clock.runUntil(Infinity);

  const late = outcomes.filter(({ begunAt, endedAt }) => endedAt - begunAt > timeoutMs + 1e-6);
  const early = outcomes.filter(
    ({ begunAt, endedAt, error }) => error instanceof TimeoutError && endedAt - begunAt < timeoutMs - 1e-6,
  );
  const inFiveMinutes = (from: number) => tokenRequests.filter((at) => at >= from && at <= from + 300_000).length;
  return {
    outcomes,
    /** The most token requests in any five minutes. */
    most: Math.max(0, ...tokenRequests.map(inFiveMinutes)),
    failed: outcomes.filter(({ error }) => error).length,
    late,
    early,
    pendingTimers: clock.pendingTimers,
    listeners: [...signals].reduce((sum, each) => sum + getEventListeners(each, "abort").length, 0),
  };
}
