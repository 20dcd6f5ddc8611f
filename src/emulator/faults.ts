import { OutgoingMessage } from "node:http";
import { described } from "./description.js";
import { isCount } from "./options.js";
import type { EmulatorOptions, EmulatorPath, Fault } from "./types.js";
import type { InvalidArgumentError } from "../errors.js";
import { check, checkOptions, isIntegerFrom, isObject, type Rules } from "../validate.js";

/** The paths that are counted, and on which faults are injected. */
export const emulatorPaths = [
  ...new Set([...described.map(({ path }) => path), "/.well-known/jwks.json"]),
] as EmulatorPath[];

/** Bounds the memory that other processes can use up. */
const maxWaiting = 1000;

const faultRules: Rules<Fault> = {
  path: [
    `the path of an operation (${emulatorPaths.slice(0, -1).join(", ")} or ${emulatorPaths.at(-1)})`,
    (path) => emulatorPaths.includes(path),
  ],
  nth: ["nth as a whole number from 1", isCount],
  times: ["times as a whole number from 1", (times) => times === Infinity || isCount(times)],
  delayMs: ["delayMs from 0", (delayMs) => typeof delayMs === "number" && delayMs >= 0],
  reset: ['reset as "before" or "after"', (reset) => reset === "before" || reset === "after"],
  status: ["a status from 200 to 599", (status) => isIntegerFrom(200)(status) && status < 600],
  headers: ["headers with names and values that HTTP allows, and no Trailer", areHeaders],
  body: ["a body of text or JSON", (body) => JSON.stringify(body) !== undefined],
  truncateBytes: ["truncateBytes as a whole number from 0", isIntegerFrom(0)],
};

/** Whether Node can send them. It throws on a Trailer when it writes a response of known length. */
function areHeaders(headers: Readonly<Record<string, string>>): boolean {
  return isObject(headers) && !new OutgoingMessage().setHeaders(new Map(Object.entries(headers))).hasHeader("trailer");
}

export type Counts = Record<EmulatorPath, number>;

/**
 * Checks faults, also those that could never be played.
 *
 * @throws {TypeError} naming the mistake, and which of several faults has it
 */
function checkFaults(faults: readonly Fault[], counts: Readonly<Counts>): void {
  for (const [index, fault] of faults.entries()) {
    try {
      checkOptions(fault, faultRules);
      const { path, nth, times = 1, reset, status, body, truncateBytes } = fault;
      check(path, "path", faultRules.path[0]);
      check(!reset || (status ?? truncateBytes) === undefined, "reset", "neither status nor truncateBytes with reset");
      check(body === undefined || status !== undefined, "body", "a status if there is a body");
      const isToCome = nth === undefined || nth + times > counts[path] + 1;
      check(isToCome, "nth", `nth to be a later request (${counts[path]} received so far)`);
    } catch (error) {
      const place = faults.length > 1 ? ` in fault ${index + 1}` : "";
      throw new TypeError(`faults: expected ${(error as InvalidArgumentError).expected}${place}`);
    }
  }
}

/**
 * Counts requests, and decides which of them fail.
 *
 * @throws {TypeError} naming a mistake in the faults of the options
 */
export function createFaults({ faults = [], quotas }: EmulatorOptions, counts: Counts, now: () => number) {
  const { tokenRequests = 20, customerTokens = 200, windowSeconds = 300 } = quotas ?? {};
  const limits = { "/oauth/token": tokenRequests, "/api/customer_tokens": customerTokens } as Counts;
  const acceptedAt: { [path in EmulatorPath]?: number[] } = {};
  let waiting: (Fault & { left: number })[] = [];
  play(...faults);

  function play(...more: readonly Fault[]): void {
    checkFaults(more, counts);
    if (waiting.length + more.length > maxWaiting) throw new TypeError(`faults: at most ${maxWaiting} can wait`);
    waiting.push(...more.map((fault) => ({ ...fault, left: fault.times ?? 1 })));
  }

  return {
    play,

    clear(): void {
      waiting = [];
    },

    /** Counts a request, and returns the fault that is meant for it. */
    next(path: EmulatorPath): Partial<Fault> | undefined {
      const count = ++counts[path];
      const ofPath = waiting.filter((fault) => fault.path === path);
      const fault =
        ofPath.find(({ nth }) => nth !== undefined && nth <= count) ?? ofPath.find(({ nth }) => nth === undefined);
      if (fault && --fault.left === 0) waiting.splice(waiting.indexOf(fault), 1);
      return fault;
    },

    /** Uses up quota, if there is some left. If not, returns the seconds until there is. */
    secondsToWait(path: EmulatorPath): number | undefined {
      const since = now() - windowSeconds * 1000;
      const recent = quotas ? (acceptedAt[path] ?? []).filter((timeMs) => timeMs > since) : [];
      acceptedAt[path] = recent;
      const [first = 0] = recent;
      if (recent.length >= limits[path]) return Math.ceil((first - since) / 1000);
      recent.push(now());
      return undefined;
    },
  };
}

export type Faults = ReturnType<typeof createFaults>;
