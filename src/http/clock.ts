/** Where time comes from. Nothing else here reads a clock or sets a timer. */
export interface Clock {
  /** Wall clock: milliseconds since 1970, for dates that others state (`exp`, `Retry-After`). */
  now(): number;
  /** Milliseconds that never go back, for lifetimes and deadlines. */
  monotonic(): number;
  /** Calls back once after `delayMs` milliseconds, unless the function that it returns is called before. */
  setTimeout(callback: () => void, delayMs: number): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout: (callback, delayMs) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Waits, but not once the signal is aborted. It leaves neither a timer nor a listener. */
export function sleep(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      cancel();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const cancel = clock.setTimeout(done, delayMs);
    signal.addEventListener("abort", done);
  });
}
