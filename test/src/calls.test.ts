import { beforeEach, describe, expect, test } from "vitest";
import { type KeyValueStore, sharedStore } from "../../src/auth/shared-token-store.js";
import { customerTokenCache } from "../../src/customer-token-cache.js";
import { type CallOptions, clientCredentials } from "../../src/index.js";
import { type ScriptedResponse, scriptedResponses } from "../support/scripted-responses.js";
import { readCases } from "../support/cases.js";
import { bank, setUp } from "../support/client.js";
import { FakeClock, hashAtOnce, settle } from "../support/clock.js";
import { fakeService, request, type Seen, steering } from "../support/service.js";
import { AddingStore, MemoryStore } from "../support/store.js";

const stores = {
  "with add": (clock: FakeClock) => new AddingStore(clock),
  "without add": (clock: FakeClock) => new MemoryStore(clock),
  "with an add that always fails": (clock: FakeClock) => Object.assign(new MemoryStore(clock), { add: () => false }),
  "of functions that do nothing": () => ({ get() {}, set() {}, add: () => undefined as never }),
} satisfies Record<string, (clock: FakeClock) => KeyValueStore>;

/** Time passes first, then the step acts, and then it checks. */
interface Step {
  /** Milliseconds that pass, once or before each of `times`; milliseconds by which the wall clock is set forward. */
  advance?: number;
  advanceEach?: number;
  jump?: number;
  /** A call: a part of its result, or of the error that it fails with. */
  call?: object;
  fails?: object | "steering";
  /** A call that begins here, may be aborted, and ends in the step that names it. */
  begin?: string;
  abort?: string;
  end?: string;
  with?: CallOptions;
  /** The process that calls, or several at once. Default: 0. */
  by?: number | number[];
  /** How many calls, one after the other or all at once. */
  times?: number;
  together?: number;
  /** How many milliseconds it waits, or bounds of them; true for any time. Default: it waits for no timer. */
  waits?: number | [least: number, below: number] | true;
  /** The name of a response that was to come later, and comes now. */
  arrives?: string;
  is?: ScriptedResponse;
  /** The number of token requests so far, and of timers that are set now. */
  requests?: number;
  timers?: number;
}

interface Case {
  tokens?: ScriptedResponse[];
  customerTokens?: ScriptedResponse[];
  options?: { maxRetries?: number; timeoutMs?: number };
  /** The store that the processes share. Default: none. */
  store?: keyof typeof stores;
  /** Each process keeps its customer tokens in a cache. */
  cached?: true;
  /** Each process gets a different random number, in this many steps. Default: all get 0.5. */
  spread?: number;
  /** Milliseconds by which the wall clock of each process is ahead. */
  ahead?: number[];
  steps: Step[];
  /** The bank tokens that the calls were sent with. */
  sent?: string[];
  /** The last of them, if the others do not matter. */
  ends?: string;
  /** The lines that are logged, without the prefix that each has. */
  logged?: string[];
}

/** The end of work that waits for no timer, and for no response that comes in a later step. */
async function atOnce<T>(work: Promise<T>): Promise<T> {
  const waiting = settle().then(settle);
  return Promise.race([work, waiting.then(() => Promise.reject(new Error("the call waits")))]);
}

beforeEach(hashAtOnce);

describe.each(["aborts", "bank-tokens", "cached-calls", "log", "shared-tokens"])("as in calls/%s.yaml:", (file) => {
  test.each(readCases<Case>(`calls/${file}`))(
    "%s",
    async (_, { options, store, cached, spread, ahead = [], steps, sent, ends, logged, ...responses }) => {
      const clock = new FakeClock();
      const begun: Record<string, { call: Promise<object>; controller: AbortController }> = {};
      const lines: string[] = [];
      const write = (level: string) => (line: string) =>
        lines.push(line.replace(/^cybrid-customer-tokens:/, `${level}:`));
      const logger = { debug: write("debug"), warn: write("warn") };

      const { respond, waiting, script } = scriptedResponses(clock);
      const service = fakeService(script(responses));

      const shared = store && stores[store](clock);
      const auth = clientCredentials({ ...bank, ...(shared && { store: sharedStore(shared) }) });
      function start(nth: number) {
        const own = {
          auth,
          logger,
          fetch: service.fetch,
          clock: clock.skewed(() => ahead[nth] ?? 0),
          random: () => (spread === undefined ? 0.5 : (nth % spread) / spread),
          maxRetries: 0,
          ...options,
        };
        const { client, create } = setUp({}, own);
        const cache = customerTokenCache(client);
        return cached ? (callOptions?: CallOptions) => cache.get(request, callOptions) : create;
      }
      const processes: ReturnType<typeof start>[] = [];
      const process = (nth: number) => (processes[nth] ??= start(nth));

      async function makeCalls({ call = {}, fails, end, by = 0, together = 1, waits, ...step }: Step): Promise<void> {
        const startedAt = clock.elapsedMs;
        const callers = Array<number[]>(together).fill([by].flat()).flat();
        const calls = end === undefined ? callers.map((nth) => process(nth)(step.with)) : [begun[end]!.call];
        const work = Promise.all<object>(calls);
        const ended = waits === undefined ? atOnce(work) : clock.run(work);
        if (fails === "steering") await expect(ended).rejects.toBe(steering);
        else if (fails) await expect(ended).rejects.toMatchObject(fails);
        else for (const result of await ended) expect(result).toMatchObject(call);
        if (waits === undefined || waits === true) return;
        const [least = 0, below = least + 0.01] = [waits].flat();
        expect(clock.elapsedMs - startedAt).toBeGreaterThanOrEqual(least - 0.01);
        expect(clock.elapsedMs - startedAt).toBeLessThan(below);
      }

      async function take(step: Step): Promise<void> {
        const { advance = 0, jump = 0, begin, abort, arrives, by = 0, times = 1, advanceEach = 0 } = step;
        clock.advance(advance);
        clock.wallMs += jump;
        if (begin !== undefined) {
          const controller = new AbortController();
          const call = process([by].flat()[0] ?? 0)({ signal: controller.signal, ...step.with });
          call.catch(() => {});
          begun[begin] = { call, controller };
        }
        if (arrives !== undefined) {
          const { respond: give, fail } = waiting[arrives]!;
          await (async () => respond(step.is ?? "", {} as Seen))().then(give, fail);
        }
        if (abort !== undefined) begun[abort]?.controller.abort({ aborted: abort });
        for (let nth = 0; nth < times && (step.call ?? step.fails); nth++) {
          clock.advance(advanceEach);
          await makeCalls(step);
          await settle();
        }
        await settle();
        if (step.timers !== undefined) expect(clock.pendingTimers).toBe(step.timers);
        if (step.requests !== undefined) expect(service.tokenRequests).toHaveLength(step.requests);
      }

      for (const step of steps) {
        await take(step).catch((error: unknown) => {
          throw new Error(`${JSON.stringify(step)}: ${(error as Error).message}`, { cause: error });
        });
      }
      if (sent) expect(service.bankTokens()).toEqual(sent);
      if (ends !== undefined) expect(service.bankTokens().at(-1)).toBe(ends);
      if (logged) expect(lines).toEqual(logged);
    },
  );
});
