import { connect, type Socket } from "node:net";
import { setTimeout } from "node:timers/promises";
import fc from "fast-check";
import { createRemoteJWKSet, jwtVerify } from "jose";
import { afterEach, expect, test, vi } from "vitest";
import { startEmulator, type Emulator, type EmulatorPath, type Fault } from "../../../src/emulator/emulator.js";
import {
  type ApiError,
  type Clock,
  clientCredentials,
  createCustomerTokensClient,
  CustomerTokensError,
} from "../../../src/index.js";
import { readFixture } from "../../support/cases.js";
import { long } from "../../support/mode.js";
import { shown } from "../../support/shown.js";
import { startWire, type WireFault, wireFaults } from "../../support/wire.js";

// Seeded random sequences of faults, of the emulator and of a TCP proxy in front of it. SEED=… repeats a run.

const seed = Number(process.env["SEED"] ?? (long ? Date.now() % 2 ** 31 : 1));
const sequences = long ? 4_000 : 150;
const lanes = 6;

const tokenPath = "/oauth/token";
const customerTokensPath = "/api/customer_tokens";
const lifetimeSeconds = 600;
const clientSecret = "canary-secret";
const reason = "the caller's reason";

/** Time at forty times its speed: a timeout of 10 seconds is over in 250 milliseconds. */
class FastClock implements Clock {
  static readonly speed = 40;
  readonly #startedAt = Date.now();
  skippedMs = 0;
  monotonic = () => performance.now() * FastClock.speed + this.skippedMs;
  now = () => this.#startedAt + this.monotonic();
  setTimeout = (callback: () => void, delayMs: number) => {
    const timer = globalThis.setTimeout(callback, delayMs / FastClock.speed);
    return () => clearTimeout(timer);
  };
}

type Step =
  /** Calls at once; then, with them under way, something may happen. */
  { calls: number; timeoutMs?: number; meanwhile?: "abort" | "expire" | "revoke" } | { age: "renewal" | "expiry" };

const path = fc.constantFrom<EmulatorPath>(tokenPath, customerTokensPath);
const { statuses, headers, bodies } = readFixture<{
  statuses: number[];
  headers: Record<string, Record<string, string>[]>;
  bodies: unknown[];
}>("chaos");
const serverFault: fc.Arbitrary<Fault> = fc.oneof(
  fc.record({ path, reset: fc.constantFrom("before" as const, "after" as const) }),
  fc.record({ path, truncateBytes: fc.nat(200) }),
  fc.record({ path, delayMs: fc.nat(20) }),
  fc.record({
    path,
    status: fc.constantFrom(...statuses),
    headers: fc.oneof(...Object.values(headers).map((some) => fc.constantFrom(...some))),
    body: fc.constantFrom(undefined, ...bodies),
  }),
);
const calls = fc.integer({ min: 1, max: 6 });
const meanwhile = fc.constantFrom("abort" as const, "expire" as const, "revoke" as const);
const step = fc.oneof<fc.WeightedArbitrary<Step>[]>(
  { weight: 4, arbitrary: fc.record({ calls }) },
  { weight: 2, arbitrary: fc.record({ calls, meanwhile }) },
  { weight: 1, arbitrary: fc.record({ calls: fc.constant(2), timeoutMs: fc.integer({ min: 1, max: 2_000 }) }) },
  { weight: 2, arbitrary: fc.record({ age: fc.constantFrom("renewal" as const, "expiry" as const) }) },
);
// Most exchanges go well: a call after a fault is worth a look, too.
const wire = fc.array(
  fc.oneof(
    { weight: 2, arbitrary: fc.constant<WireFault>("none") },
    fc.constantFrom(...(Object.keys(wireFaults) as WireFault[])),
  ),
  { maxLength: 12 },
);
const sequence = fc.record({
  maxRetries: fc.integer({ min: 1, max: 3 }),
  steps: fc.array(step, { minLength: 1, maxLength: 6 }),
  server: fc.array(serverFault, { maxLength: 3 }),
  wire: fc.record<Record<string, WireFault[]>>({ [tokenPath]: wire, [customerTokensPath]: wire }),
});
type Sequence = typeof sequence extends fc.Arbitrary<infer T> ? T : never;

/** What came of a run, for the report. */
const tally = { calls: 0, tokens: 0, errors: {} as Record<string, number> };

interface Lane {
  clock: FastClock;
  emulator: Emulator;
  verify: (jwt: string) => Promise<unknown>;
}

async function startLane(): Promise<Lane> {
  const clock = new FastClock();
  const emulator = await startEmulator({
    clients: [{ clientId: "bank", clientSecret }],
    bankTokenLifetimeSeconds: lifetimeSeconds,
    now: clock.now,
  });
  const keys = createRemoteJWKSet(new URL("/.well-known/jwks.json", emulator.url));
  const verify = (jwt: string) =>
    jwtVerify(jwt, keys, { issuer: emulator.url, subject: emulator.customerGuid, currentDate: new Date(clock.now()) });
  return { clock, emulator, verify };
}

/** Forwards a request, and returns the whole response; nothing if the server resets the connection. */
async function forward(port: number, request: string): Promise<string> {
  const upstream = connect(port, "127.0.0.1").setEncoding("latin1");
  upstream.write(request.replace(/^connection: .*\r\n/im, "connection: close\r\n"), "latin1");
  let response = "";
  upstream.on("data", (chunk: string) => (response += chunk)).on("error", () => {});
  await new Promise((resolve) => upstream.on("close", resolve));
  return response.replace(/^connection: close\r\n/im, "");
}

async function runSequence({ clock, emulator, verify }: Lane, { maxRetries, steps, server, wire: faults }: Sequence) {
  emulator.play(...server);
  const exchanges: Promise<unknown>[] = [];
  async function exchange(socket: Socket, request: string): Promise<void> {
    const fault = faults[request.split(" ", 2)[1] ?? ""]?.shift() ?? "none";
    const response = await forward(Number(new URL(emulator.url).port), request);
    wireFaults[response === "" ? "reset without a response" : fault](socket, response);
  }
  await using proxy = await startWire((socket, request) => void exchanges.push(exchange(socket, request)));
  const client = createCustomerTokensClient({
    auth: clientCredentials({ clientId: "bank", clientSecret }),
    baseUrl: proxy.url,
    maxRetries,
    clock,
  });

  let calls = 0;
  async function call(signal: AbortSignal, timeoutMs: number | undefined): Promise<void> {
    calls++;
    try {
      const { access_token } = await client.createCustomerToken(
        { customer_guid: emulator.customerGuid, scopes: ["customers:read"] },
        { signal, timeoutMs },
      );
      await verify(access_token);
      tally.tokens++;
    } catch (error) {
      const kind = error instanceof CustomerTokensError ? error.name : String(error);
      tally.errors[kind] = (tally.errors[kind] ?? 0) + 1;
      if (error === reason && signal.aborted) return;
      expect(kind).toMatch(/^(?:ApiError|TokenRequestError|ConnectionError|TimeoutError|InvalidResponseError)$/);
      expect(shown(error)).not.toMatch(/canary|eyJ/);
      const { attempts = 0 } = error as Partial<ApiError>;
      expect(attempts).toBeLessThanOrEqual(1 + maxRetries);
    }
  }

  const age = (lifetimes: number) => (clock.skippedMs += lifetimes * lifetimeSeconds * 1000);
  for (const current of steps) {
    if ("age" in current) {
      age(current.age === "expiry" ? 1 : 0.81);
      continue;
    }
    const controller = new AbortController();
    const group = Array.from({ length: current.calls }, () => call(controller.signal, current.timeoutMs));
    if (current.meanwhile) await new Promise((resolve) => setImmediate(resolve));
    if (current.meanwhile === "abort") controller.abort(reason);
    if (current.meanwhile === "expire") age(1);
    if (current.meanwhile === "revoke") emulator.revokeTokens();
    await Promise.all(group);
  }
  await Promise.all(exchanges);
  tally.calls += calls;
  const sent = proxy.requests.filter((request) => request.includes(customerTokensPath)).length;
  expect(sent).toBeLessThanOrEqual(calls * (1 + maxRetries));

  // Faults that were not reached must not wait for the next sequence.
  emulator.reset();
}

const logged: unknown[] = [];
afterEach(() => expect(shown(logged)).not.toMatch(/canary|eyJ/));

test(`${sequences} fault sequences, seed ${seed}`, { timeout: long ? 3600_000 : 120_000 }, async () => {
  const report = console.log;
  for (const method of ["log", "info", "warn", "error", "debug"] as const) {
    vi.spyOn(console, method).mockImplementation((...args) => void logged.push(args));
  }
  const startedAt = performance.now();
  const queue = [...fc.sample(sequence, { numRuns: sequences, seed }).entries()];
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      const lane = await startLane();
      await using _emulator = lane.emulator;
      for (let next = queue.shift(); next; next = queue.shift()) {
        const [index, faults] = next;
        try {
          const hung = setTimeout(60_000, "not ended after 60 s", { ref: false });
          expect(await Promise.race([runSequence(lane, faults), hung])).toBeUndefined();
        } catch (error) {
          queue.length = 0;
          const what = `sequence ${index} of seed ${seed}: ${JSON.stringify(faults)}`;
          throw new Error(what, { cause: error });
        }
      }
    }),
  );
  if (long) report({ seed, sequences, seconds: Math.round((performance.now() - startedAt) / 1000), ...tally });
});
