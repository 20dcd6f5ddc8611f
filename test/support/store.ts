import { vi } from "vitest";
import type { KeyValueStore } from "../../src/auth/key-value-store.js";
import { FakeClock } from "./clock.js";

/** A store in memory whose entries end by a clock, and which a test may look into. */
export class MemoryStore implements KeyValueStore {
  readonly entries = new Map<string, { value: string; endsAt: number }>();
  protected readonly clock: FakeClock;

  constructor(clock = new FakeClock()) {
    this.clock = clock;
  }

  get = vi.fn((key: string): unknown => {
    const entry = this.entries.get(key);
    return entry && entry.endsAt > this.clock.elapsedMs ? entry.value : undefined;
  });
  set = vi.fn((key: string, value: string, ttlMs: number): unknown => {
    this.entries.set(key, { value, endsAt: this.clock.elapsedMs + ttlMs });
    return true;
  });
}

export class AddingStore extends MemoryStore {
  add = vi.fn((key: string, value: string, ttlMs: number): boolean => {
    // Redis refuses a fraction.
    if (!Number.isInteger(ttlMs)) throw new Error("ERR value is not an integer or out of range");
    if ((this.entries.get(key)?.endsAt ?? 0) > this.clock.elapsedMs) return false;
    this.entries.set(key, { value, endsAt: this.clock.elapsedMs + ttlMs });
    return true;
  });
}

/** A store each of whose operations takes so long. */
export function slow({ get, set, add }: KeyValueStore, clock: FakeClock, ms: number): KeyValueStore {
  const slowly =
    <Args extends unknown[], Result>(operation: (...args: Args) => Result | Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      await clock.sleep(ms);
      return operation(...args);
    };
  return { get: slowly(get), set: slowly(set), ...(add && { add: slowly(add) }) };
}

/** Ways in which real stores return a value: parsed (Upstash, unstorage), as bytes (`getBuffer`, memjs), as JSON of JSON. */
export const ways: [string, (text: string) => unknown][] = [
  ["as it was set", (text) => text],
  ["parsed", (text) => JSON.parse(text) as unknown],
  ["as a Buffer", (text) => Buffer.from(text)],
  ["as bytes in the middle of others", (text) => Buffer.from(`xx${text}xx`).subarray(2, -2)],
  ["as a DataView", (text) => new DataView(new TextEncoder().encode(text).buffer)],
  ["as an ArrayBuffer", (text) => new TextEncoder().encode(text).buffer],
  ["as JSON of JSON", (text) => JSON.stringify(text)],
];

/** Has a store return its values in such a way. */
export function giving<S extends MemoryStore>(store: S, way: (text: string) => unknown): S {
  const { get } = store;
  store.get = vi.fn((key: string) => {
    const text = get(key);
    return typeof text === "string" ? way(text) : text;
  });
  return store;
}
