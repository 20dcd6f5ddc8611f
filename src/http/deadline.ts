import { TimeoutError } from "../errors.js";
import { anything, check, type HeadersOption, isBoolean, isFunction, type Rules, timeoutRule } from "../validate.js";

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
      stopListening();
      resolve();
    };
    const cancel = clock.setTimeout(done, delayMs);
    const stopListening = onAbort(signal, done);
  });
}

/** Provides the bank tokens that requests are sent with. */
export interface TokenProvider {
  /** The client id, if there is one. */
  readonly clientId?: string;
  /** Secrets that must never be shown, in addition to the tokens that it provides. */
  readonly secrets?: readonly string[];
  /** The token for one attempt of a call. */
  token(call: CallContext): string | Promise<string>;
  /** Called with each token that a request succeeded with. */
  onSuccess?(token: string): void;
  /** Deals with a token that was rejected with 401 `authentication_failed`: the call is sent again, or gets its 401. */
  onUnauthorized?(token: string, call: CallContext): Promise<"retry" | "give up">;
}

/** Options of one call. */
export interface CallOptions {
  /** Ends the call; it then rejects with the signal's reason. */
  signal?: AbortSignal | null | undefined;
  /** Time that this call has, in milliseconds. Default: the client's. */
  timeoutMs?: number | undefined;
  /** Headers of this call, in addition to the client's. One that is `undefined` or `null` is left out. */
  headers?: HeadersOption | undefined;
}

const isSignal = ({ aborted, addEventListener: add, removeEventListener: remove }: AbortSignal) =>
  isBoolean(aborted) && isFunction(add) && isFunction(remove);

export const callRules: Rules<CallOptions> = {
  // It may be a polyfill's signal. An AbortController is not a signal.
  signal: ["an AbortSignal", (signal) => signal === null || isSignal(signal)],
  timeoutMs: timeoutRule,
  headers: anything,
};

/** One call of the caller. */
export interface CallContext {
  /** Aborted when the call ends before its work is done. */
  readonly signal: AbortSignal;
  /** When the call's time is up, on the monotonic clock. */
  readonly deadline: number;
  /** The tokens and the client secret that went out with this call: they must never be shown. */
  readonly secrets: string[];
  /** The headers that went out with it, some of which are also secret. */
  headers?: Headers;
  /** How often a request was sent. */
  attempts: number;
  /** The failure that is being retried. */
  lastFailure?: unknown;
  /** The token requests that have failed while the call waited for a token. */
  readonly tokenFailures: unknown[];
}

/**
 * Runs the work of one call, and stops waiting when its time is up or its signal is aborted, even if a caller's `fetch` or
 * token function ignores the signal.
 *
 * @throws {TimeoutError} after `timeoutMs`; the reason of the caller's `signal` after its abort
 */
export async function runCall<T>(
  clock: Clock,
  options: { timeoutMs: number; signal?: AbortSignal | null | undefined; secrets?: string[] },
  work: (call: CallContext) => Promise<T>,
): Promise<T> {
  const { timeoutMs, signal, secrets = [] } = options;
  if (signal?.aborted) throw reasonOf(signal);
  const controller = new AbortController();
  const deadline = clock.monotonic() + timeoutMs;
  const call: CallContext = { signal: controller.signal, deadline, secrets, attempts: 0, tokenFailures: [] };
  let end: (reason: unknown) => void = () => {};
  let timedOut = false;
  const cancelTimer = clock.setTimeout(() => {
    timedOut = true;
    end(new DOMException("timed out", "TimeoutError"));
  }, timeoutMs);
  check(isFunction(cancelTimer), "clock.setTimeout()", "a function");
  const stopListening = signal && onAbort(signal, () => end(reasonOf(signal)));
  try {
    return await new Promise<T>((resolve, reject) => {
      end = (reason) => {
        reject(reason);
        controller.abort(reason);
      };
      work(call).then(resolve, reject);
    });
  } catch (error) {
    // Made here and not in the timer, so that its stack leads to the caller.
    throw timedOut ? new TimeoutError(timeoutMs, { attempts: call.attempts, cause: call.lastFailure }) : error;
  } finally {
    cancelTimer();
    stopListening?.();
  }
}

/** A polyfill's signal may have no reason. */
function reasonOf(signal: AbortSignal): unknown {
  return signal.reason ?? new DOMException("This operation was aborted", "AbortError");
}

type Callbacks = Set<() => void> & { all: () => void };
const listening = new WeakMap<AbortSignal, Callbacks>();

/**
 * Calls back when the signal is aborted. All calls that share a signal share one listener: Node warns of a leak at 11.
 *
 * @returns a function that cancels the callback
 */
function onAbort(signal: AbortSignal, callback: () => void): () => void {
  const all = () => callbacks.forEach((each) => each());
  const callbacks: Callbacks = listening.get(signal) ?? Object.assign(new Set<() => void>(), { all });
  listening.set(signal, callbacks);
  if (callbacks.size === 0) signal.addEventListener("abort", callbacks.all);
  callbacks.add(callback);
  return () => {
    callbacks.delete(callback);
    if (callbacks.size === 0) signal.removeEventListener("abort", callbacks.all);
  };
}
