import { createHash } from "node:crypto";
import { vi } from "vitest";
import type { Clock } from "../../src/http/deadline.js";

/** A clock that only moves when a test moves it. */
export class FakeClock implements Clock {
  wallMs = Date.UTC(2026, 7, 1);
  elapsedMs = 0;
  /** In the order in which they fall due. */
  #timers: { at: number; callback: () => void }[] = [];

  now = () => this.wallMs;
  monotonic = () => this.elapsedMs;
  setTimeout = (callback: () => void, delayMs: number) => {
    const timer = { at: this.elapsedMs + Math.max(0, delayMs), callback };
    this.#timers.push(timer);
    this.#timers.sort((a, b) => a.at - b.at);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  };
  sleep = (delayMs: number) => new Promise<void>((resolve) => void this.setTimeout(resolve, delayMs));

  /** Timers that nobody has canceled. */
  get pendingTimers(): number {
    return this.#timers.length;
  }

  /** Lets time pass, and calls back whatever falls due, in order. */
  advance(ms: number): void {
    const end = this.elapsedMs + ms;
    while (this.#callNext(end));
    this.#moveTo(end);
  }

  /** Runs work that does no real I/O to its end: whenever it waits, time jumps to the next timer. */
  async run<T>(work: Promise<T>): Promise<T> {
    let settled = false;
    const done = () => (settled = true);
    work.then(done, done);
    for (;;) {
      await settle();
      if (settled) return work;
      const [next] = this.#timers;
      if (!next) throw new Error("the work waits for something that is not a timer");
      this.advance(next.at - this.elapsedMs);
    }
  }

  /** Lets everything happen until a time, or until nothing is left to happen, one timer after the other. */
  async runUntil(end: number): Promise<void> {
    while (this.#callNext(end)) await new Promise((resolve) => setImmediate(resolve));
    if (Number.isFinite(end)) this.#moveTo(end);
  }

  /** The same time, seen by a machine whose wall clock is wrong. */
  skewed(skewMs: () => number): Clock {
    return { now: () => this.wallMs + skewMs(), monotonic: this.monotonic, setTimeout: this.setTimeout };
  }

  #callNext(end: number): boolean {
    const [next] = this.#timers;
    if (!next || next.at > end) return false;
    this.#timers.shift();
    this.#moveTo(next.at);
    next.callback();
    return true;
  }

  #moveTo(time: number): void {
    this.wallMs += time - this.elapsedMs;
    this.elapsedMs = time;
  }
}

/** Lets everything happen that waits for promises only. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
}

const hashes = new Map<string, ArrayBuffer>();

/** Hashes at once, until mocks are restored: the platform does it on another thread, for which no fake clock waits. */
export function hashAtOnce(): void {
  vi.spyOn(crypto.subtle, "digest").mockImplementation(async (_, data) => {
    const text = Buffer.from(data as Uint8Array<ArrayBuffer>).toString();
    const hash = hashes.get(text) ?? Uint8Array.from(createHash("sha256").update(text).digest()).buffer;
    hashes.set(text, hash);
    return hash;
  });
}
