import { createHash } from "node:crypto";
import { vi } from "vitest";
import type { Clock } from "../../src/http/deadline.js";

/** A clock that stands still until it is told otherwise. */
export class FakeClock implements Clock {
  wallMs = Date.UTC(2026, 7, 1);
  elapsedMs = 0;
  #timers: { at: number; callback: () => void }[] = [];

  now = () => this.wallMs;
  monotonic = () => this.elapsedMs;
  setTimeout = (callback: () => void, delayMs: number) => {
    const timer = { at: this.elapsedMs + delayMs, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  };

  /** Timers that nobody has cancelled. */
  get pendingTimers(): number {
    return this.#timers.length;
  }

  /** Lets time pass, and calls back whatever falls due, in order. */
  advance(ms: number): void {
    const end = this.elapsedMs + ms;
    for (;;) {
      const due = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      this.#move((due?.at ?? end) - this.elapsedMs);
      if (!due) return;
      this.#timers = this.#timers.filter((other) => other !== due);
      due.callback();
    }
  }

  /** Runs work that does no real I/O to its end: whenever it waits, time jumps to the next timer. */
  async run<T>(work: Promise<T>): Promise<T> {
    let settled = false;
    const done = () => (settled = true);
    work.then(done, done);
    for (;;) {
      await settle();
      if (settled) return work;
      if (this.#timers.length === 0) throw new Error("the work waits for something that is not a timer");
      this.advance(Math.max(0, Math.min(...this.#timers.map(({ at }) => at)) - this.elapsedMs));
    }
  }

  #move(ms: number): void {
    this.elapsedMs += ms;
    this.wallMs += ms;
  }
}

/** Lets everything happen that waits for promises only. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
}

const hashes = new Map<string, ArrayBuffer>();

/** Hashes at once, until mocks are restored: the platform does it on a thread of its own, for which no fake clock waits. */
export function hashAtOnce(): void {
  vi.spyOn(crypto.subtle, "digest").mockImplementation(async (_, data) => {
    const text = Buffer.from(data as Uint8Array<ArrayBuffer>).toString();
    const hash = hashes.get(text) ?? Uint8Array.from(createHash("sha256").update(text).digest()).buffer;
    hashes.set(text, hash);
    return hash;
  });
}
