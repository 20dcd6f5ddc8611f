import { getEventListeners } from "node:events";
import {
  clientCredentials,
  type Clock,
  createCustomerTokensClient,
  type CustomerTokensClient,
  TimeoutError,
} from "../../src/index.js";
import { type KeyValueStore, sharedStore } from "../../src/auth/shared-token-store.js";
import { guid } from "./service.js";

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

interface Timer {
  at: number;
  nth: number;
  callback: (() => void) | undefined;
}

/** A clock on which hours pass in no time: it jumps from one timer to the next. */
export class SimulatedClock implements Clock {
  elapsedMs = 0;
  suspendedMs = 0;
  /** Timers that nobody has cancelled. */
  pending = 0;
  #nth = 0;
  /** A binary heap: its first is the next one. */
  #heap: Timer[] = [];

  now = () => Date.UTC(2026, 7, 1) + this.elapsedMs + this.suspendedMs;
  monotonic = () => this.elapsedMs;

  setTimeout = (callback: () => void, delayMs: number) => {
    const timer: Timer = { at: this.elapsedMs + Math.max(0, delayMs), nth: this.#nth++, callback };
    this.#push(timer);
    this.pending++;
    return () => {
      if (timer.callback) this.pending--;
      timer.callback = undefined;
    };
  };

  sleep = (delayMs: number) => new Promise<void>((resolve) => void this.setTimeout(resolve, delayMs));

  /** Lets everything happen until a time, or until nothing is left to happen. */
  async run(untilMs: number): Promise<void> {
    for (let next = this.#heap[0]; next && next.at <= untilMs; next = this.#heap[0]) {
      this.#pop();
      const { callback } = next;
      if (!callback) continue;
      next.callback = undefined;
      this.pending--;
      this.elapsedMs = next.at;
      callback();
      // Whatever waits for promises only happens before the next timer, as on a real clock.
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.elapsedMs = Math.max(this.elapsedMs, Math.min(untilMs, Number.MAX_SAFE_INTEGER));
  }

  #before(a: number, b: number): boolean {
    const [x, y] = [this.#heap[a] as Timer, this.#heap[b] as Timer];
    return x.at < y.at || (x.at === y.at && x.nth < y.nth);
  }

  #swap(a: number, b: number): void {
    [this.#heap[a], this.#heap[b]] = [this.#heap[b] as Timer, this.#heap[a] as Timer];
  }

  #push(timer: Timer): void {
    let at = this.#heap.push(timer) - 1;
    for (let parent = (at - 1) >> 1; at > 0 && this.#before(at, parent); parent = (at - 1) >> 1) {
      this.#swap(at, parent);
      at = parent;
    }
  }

  #pop(): void {
    this.#swap(0, this.#heap.length - 1);
    this.#heap.pop();
    for (let at = 0; ;) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      let first = at;
      if (left < this.#heap.length && this.#before(left, first)) first = left;
      if (right < this.#heap.length && this.#before(right, first)) first = right;
      if (first === at) return;
      this.#swap(at, first);
      at = first;
    }
  }
}

/** What a simulated server answers: a status with a body and headers, or trouble. */
export type Answer = { status: number; body?: unknown; headers?: Record<string, string> } | "reset" | "cut" | "hang";

export interface World {
  /** Calls of each process in a second. */
  perSecond: number;
  /** How long calls are begun, in seconds. */
  seconds: number;
  timeoutMs?: number;
  maxRetries?: number;
  /** Life of a bank token. */
  lifetimeSeconds?: number;
  /** The token endpoint's answer; `undefined`: a token. */
  token?: (world: Running) => Answer | undefined;
  /** The endpoint's answer to a token that it accepts; `undefined`: a customer token. */
  mint?: (world: Running) => Answer | undefined;
  /** Clients, of as many processes or of one. */
  processes?: number;
  /** A store that they share. */
  store?: "with add" | "without add";
  /** What the store holds at the start, by what it is asked for. */
  stored?: (key: string, world: Running) => string | undefined;
  /** Seconds after which each process starts anew. */
  restartEvery?: number;
  /** Calls back at times of its own. */
  plot?: (world: Running) => void;
}

export interface Running {
  clock: SimulatedClock;
  random: () => number;
  seconds: number;
  /** From now on, no token that was given so far is accepted. */
  revoke(): void;
}

export interface Outcome {
  begunAt: number;
  endedAt: number;
  error: unknown;
}

const stale = { status: 401, body: { status: 401, error_message: "expired", message_code: "authentication_failed" } };

/** Lets processes call a service for a while, and tells what came of it. */
export async function simulate(world: World, seed: number) {
  const { timeoutMs = 10_000, maxRetries = 2, lifetimeSeconds = 1800, processes = 1 } = world;
  const random = seededRandom(seed);
  const clock = new SimulatedClock();
  const tokenRequests: number[] = [];
  const outcomes: Outcome[] = [];
  const signals = new Set<AbortSignal>();
  let mints = 0;
  let valid = new Map<string, number>();
  const running: Running = {
    clock,
    random,
    get seconds() {
      return clock.elapsedMs / 1000;
    },
    revoke: () => (valid = new Map()),
  };

  function answerOf(url: string, headers: Headers): Answer {
    if (url.endsWith("/oauth/token")) {
      tokenRequests.push(clock.elapsedMs);
      const answer = world.token?.(running);
      if (answer) return answer;
      const token = `bank-${tokenRequests.length}`;
      valid.set(`Bearer ${token}`, clock.elapsedMs + clock.suspendedMs + lifetimeSeconds * 1000);
      return { status: 200, body: { access_token: token, token_type: "Bearer", expires_in: lifetimeSeconds } };
    }
    mints++;
    const endsAt = valid.get(headers.get("authorization") ?? "") ?? -Infinity;
    if (clock.elapsedMs + clock.suspendedMs >= endsAt) return stale;
    return world.mint?.(running) ?? { status: 201, body: { access_token: "customer" } };
  }

  async function fetch(url: string | URL | Request, init: RequestInit = {}): Promise<Response> {
    const signal = init.signal as AbortSignal;
    signals.add(signal);
    const answer = answerOf(String(url), new Headers(init.headers));
    await new Promise<void>((resolve, reject) => {
      const abort = () => {
        cancel();
        reject(signal.reason as Error);
      };
      const arrive = () => {
        signal.removeEventListener("abort", abort);
        resolve();
      };
      const cancel = answer === "hang" ? () => {} : clock.setTimeout(arrive, 5 + 45 * random());
      signal.addEventListener("abort", abort, { once: true });
    });
    if (answer === "reset" || answer === "hang") throw new TypeError("fetch failed");
    if (answer === "cut") {
      const body = new ReadableStream({ start: (controller) => controller.error(new TypeError("terminated")) });
      return new Response(body, { status: 200 });
    }
    const { status, body, headers } = answer;
    const text = typeof body === "string" ? body : JSON.stringify(body ?? {});
    return new Response(text, { status, headers: { "content-type": "application/json", ...headers } });
  }

  const entries = new Map<string, { value: string; endsAt: number }>();
  const alive = (key: string) => {
    const entry = entries.get(key);
    return entry && entry.endsAt > clock.elapsedMs ? entry.value : undefined;
  };
  const put = (key: string, value: string, ttlMs: number) =>
    entries.set(key, { value, endsAt: clock.elapsedMs + ttlMs });
  const store: KeyValueStore = {
    async get(key) {
      await clock.sleep(1);
      return alive(key) ?? world.stored?.(key, running);
    },
    async set(key, value, ttlMs) {
      await clock.sleep(1);
      put(key, value, ttlMs);
    },
  };
  if (world.store === "with add") {
    store.add = async (key, value, ttlMs) => {
      await clock.sleep(1);
      if (alive(key) !== undefined) return false;
      put(key, value, ttlMs);
      return true;
    };
  }

  const start = () =>
    createCustomerTokensClient({
      auth: clientCredentials({
        clientId: "bank",
        clientSecret: "s3cret",
        ...(world.store && { store: sharedStore(store) }),
      }),
      baseUrl: "https://idp.example",
      fetch: fetch as typeof globalThis.fetch,
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
    client
      .createCustomerToken({ customer_guid: guid, scopes: ["customers:read"] }, { signal })
      .then(() => end(undefined), end);
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
  await clock.run(world.seconds * 1000);
  await clock.run(Infinity);

  const late = outcomes.filter(({ begunAt, endedAt }) => endedAt - begunAt > timeoutMs + 1e-6);
  const early = outcomes.filter(
    ({ begunAt, endedAt, error }) => error instanceof TimeoutError && endedAt - begunAt < timeoutMs - 1e-6,
  );
  return {
    outcomes,
    tokenRequests,
    mints,
    /** The most token requests in any five minutes. */
    most: Math.max(
      0,
      ...tokenRequests.map((from) => tokenRequests.filter((at) => at >= from && at <= from + 300_000).length),
    ),
    failed: outcomes.filter(({ error }) => error).length,
    late,
    early,
    pendingTimers: clock.pending,
    listeners: [...signals].reduce((sum, each) => sum + getEventListeners(each, "abort").length, 0),
  };
}
