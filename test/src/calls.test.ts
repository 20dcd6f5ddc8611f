import { beforeEach, describe, expect, test } from "vitest";
import { sharedStore } from "../../src/auth/shared-token-store.js";
import { type CallOptions, clientCredentials, type CustomerTokensClient } from "../../src/index.js";
import { type Answer, answersOn } from "../support/answers.js";
import { readCases } from "../support/cases.js";
import { bank, setUp } from "../support/client.js";
import { FakeClock, hashAtOnce, settle } from "../support/clock.js";
import { fakeService, type Seen, steering } from "../support/service.js";
import { AddingStore, MemoryStore } from "../support/store.js";

interface Step {
  /** A call: a part of its result, or of the error that it fails with. */
  call?: object;
  fails?: object | "steering";
  /** A call that begins here, is perhaps aborted, and ends in the step that names it. */
  begin?: string;
  abort?: string;
  end?: string;
  with?: CallOptions;
  /** The process that calls, or several at once. Default: 0. */
  by?: number | number[];
  /** How many calls, one after the other or all at once. */
  times?: number;
  together?: number;
  /** How long it waits, by bounds if it differs; true for any time. Default: it waits for no timer. */
  waits?: number | [least: number, below: number] | true;
  advance?: number;
  advanceEach?: number;
  /** By how much the wall clock is set. */
  jump?: number;
  answer?: string;
  is?: Answer;
  /** The token requests up to here, and the timers that are set now. */
  requests?: number;
  timers?: number;
}

interface Case {
  tokens?: Answer[];
  customerTokens?: Answer[];
  options?: { maxRetries?: number; timeoutMs?: number };
  /** What the processes share. Default: nothing. */
  store?: "with add" | "without add";
  /** The random source gives the same to all; or the part that each is of so many. */
  spread?: number;
  /** By how much the clock of each process is ahead. */
  ahead?: number[];
  steps: Step[];
  /** The bank tokens that the calls were sent with. */
  sent?: string[];
  /** The last of them, if the others do not matter. */
  ends?: string;
  /** The lines that are logged, without the prefix that each has. */
  logged?: string[];
}

/** The end of work that waits for no timer, and for no answer that a step gives later. */
async function atOnce<T>(work: Promise<T>): Promise<T> {
  const waiting = settle().then(settle);
  return Promise.race([work, waiting.then(() => Promise.reject(new Error("the call waits")))]);
}

beforeEach(hashAtOnce);

describe.each(["aborts", "bank-tokens", "log", "shared-tokens"])("as in calls/%s.yaml:", (file) => {
  test.each(readCases<Case>(`calls/${file}`))(
    "%s",
    async (_, { options, store, spread, ahead = [], steps, sent, ends, logged, ...answers }) => {
      const clock = new FakeClock();
      const begun: Record<
        string,
        { call: ReturnType<CustomerTokensClient["createCustomerToken"]>; controller: AbortController }
      > = {};
      const lines: string[] = [];
      const write = (level: string) => (line: string) =>
        lines.push(line.replace(/^cybrid-customer-tokens:/, `${level}:`));
      const logger = { debug: write("debug"), warn: write("warn") };

      const { respond, waiting, script } = answersOn(clock);
      const service = fakeService(script(answers));

      const shared = store && (store === "with add" ? new AddingStore(clock) : new MemoryStore(clock));
      const auth = clientCredentials({ ...bank, ...(shared && { store: sharedStore(shared) }) });
      const clients: ReturnType<typeof setUp>[] = [];
      const process = (nth: number) =>
        (clients[nth] ??= setUp(
          {},
          {
            auth,
            logger,
            fetch: service.fetch,
            clock: clock.skewed(() => ahead[nth] ?? 0),
            random: () => (spread === undefined ? 0.5 : (nth % spread) / spread),
            maxRetries: 0,
            ...options,
          },
        ));

      for (const step of steps) {
        const { call, fails, begin, abort, end, by = 0, times = 1, together = 1, waits, answer, is = "" } = step;
        const processes = [by].flat();
        const start = (nth: number) => process(nth).create(step.with);
        clock.advance(step.advance ?? 0);
        clock.wallMs += step.jump ?? 0;
        if (begin !== undefined) {
          const controller = new AbortController();
          const started = process(processes[0] ?? 0).create({ signal: controller.signal, ...step.with });
          started.catch(() => {});
          begun[begin] = { call: started, controller };
        }
        if (answer !== undefined) {
          const { answer: give, fail } = waiting[answer]!;
          await (async () => respond(is, {} as Seen))().then(give, fail);
        }
        if (abort !== undefined) begun[abort]?.controller.abort({ aborted: abort });
        if (call ?? fails) {
          for (let nth = 0; nth < times; nth++) {
            clock.advance(step.advanceEach ?? 0);
            const startedAt = clock.elapsedMs;
            const each = () => Array.from({ length: together }, () => processes.map(start)).flat();
            const work = Promise.all(end === undefined ? each() : [begun[end]!.call]);
            const ended = waits === undefined ? atOnce(work) : clock.run(work);
            if (fails === "steering") await expect(ended, JSON.stringify(step)).rejects.toBe(steering);
            else if (fails) await expect(ended, JSON.stringify(step)).rejects.toMatchObject(fails);
            else for (const result of await ended) expect(result, JSON.stringify(step)).toMatchObject(call ?? {});
            const waited = clock.elapsedMs - startedAt;
            const [least = 0, below = least + 0.01] =
              waits === undefined || waits === true ? [0, Infinity] : [waits].flat();
            expect(waited, JSON.stringify(step)).toBeGreaterThanOrEqual(least - 0.01);
            expect(waited, JSON.stringify(step)).toBeLessThan(below);
            await settle();
          }
        }
        await settle();
        if (step.timers !== undefined) expect(clock.pendingTimers, JSON.stringify(step)).toBe(step.timers);
        if (step.requests !== undefined)
          expect(service.tokenRequests, JSON.stringify(step)).toHaveLength(step.requests);
      }
      if (sent) expect(service.bankTokens()).toEqual(sent);
      if (ends !== undefined) expect(service.bankTokens().at(-1)).toBe(ends);
      if (logged) expect(lines).toEqual(logged);
    },
  );
});
