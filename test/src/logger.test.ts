import { beforeEach, describe, expect, test } from "vitest";
import { sharedStore } from "../../src/auth/shared-token-store.js";
import { clientCredentials } from "../../src/index.js";
import { setUp, withStore } from "../support/client.js";
import { FakeClock, hashAtOnce } from "../support/clock.js";
import { json, refusal, stale, tokenResponse } from "../support/service.js";

beforeEach(hashAtOnce);

/** A client whose lines are kept, without the mark that each of them has. */
function setUpLogged(...[script, options]: Parameters<typeof setUp>) {
  const lines: string[] = [];
  const write = (level: string) => (line: string) => {
    expect(line).toMatch(/^cybrid-customer-tokens: /);
    lines.push(line.replace("cybrid-customer-tokens", level));
  };
  return { lines, ...setUp(script, { ...options, logger: { debug: write("debug"), warn: write("warn") } }) };
}

describe("a line tells that", () => {
  test("another process's failure is waited for", async () => {
    const clock = new FakeClock();
    const claim = { waitMs: 42_000, until: clock.wallMs + 42_000, state: "failed", status: 429 };
    const store = { get: (key: string) => key.endsWith(":claim") && JSON.stringify(claim), set() {}, add: () => false };
    const { create, lines } = setUpLogged({}, { auth: withStore(store), clock });
    await expect(create()).rejects.toMatchObject({ retryAfterSeconds: 42 });
    expect(lines).toEqual(["debug: another process requested a token: token requests are paused for 42 s"]);
  });

  test("a store fails, is slow, or loses values", async () => {
    const fail = () => {
      throw Object.assign(new Error("canary"), { code: "ECONNREFUSED" });
    };
    const unseen = "warn: the store does not return what was written to it: nothing is shared";
    const faults: [object, ...string[]][] = [
      [{}],
      [{ add: () => true }],
      [
        { add: () => false },
        "warn: the process that was requesting a token has stopped responding: requesting one here",
      ],
      [{ get: fail }, "warn: the store failed in get(): ECONNREFUSED", unseen],
      [{ get: () => new Promise(() => {}) }, "warn: the store took too long in get(): ERR_TIMEOUT"],
      [{ set: () => false }, "warn: the store failed in set(): Error"],
      [{ set: () => true }, unseen],
      [{ get: () => 7 }, unseen],
      [{ get: () => ({ token: "of another process" }) }],
    ];
    for (const [fault, ...warnings] of faults) {
      const auth = withStore(Object.assign(new Map<string, string>(), fault));
      const { create, clock, lines } = setUpLogged({}, { auth });
      await clock.run(create());
      expect([...new Set(lines.filter((text) => text.startsWith("warn")))]).toEqual(warnings);
    }
  });
});

test("no line holds a secret or a token", async () => {
  const secrets = ["canary-secret", "canary-bank-token", "canary-key"];
  const echo = secrets.join(" ");
  // A bank token is known once it has been issued.
  const early = "canary-secret canary-key";
  const script = {
    tokens: [
      json({ error: early, error_description: early }, 429),
      Object.assign(new TypeError(`fetch failed: ${early}`), { cause: new Error(early) }),
      tokenResponse("canary-bank-token", 3600),
    ],
    customerTokens: [new TypeError(echo), refusal(503, echo, echo), stale(), stale()],
  };
  const store = sharedStore({ get: () => Promise.reject(new Error(echo)), set: () => Promise.reject(new Error(echo)) });
  const auth = clientCredentials({ clientId: "bank", clientSecret: "canary-secret", store });
  const headers = { "x-api-key": "canary-key" };
  const { create, clock, lines } = setUpLogged(script, { auth, headers, maxRetries: 4, timeoutMs: 60_000 });
  await expect(clock.run(create())).rejects.toMatchObject({ status: 401 });
  expect(lines.length).toBeGreaterThan(8);
  expect(lines.join("\n")).not.toContain("canary");
});

test("a logger that throws or rejects costs no call its token, and one that wants its own this has it", async () => {
  class Own {
    lines = 0;
    async debug() {
      this.lines++;
      throw new Error("the disk is full");
    }
    warn() {
      throw new Error("the disk is full");
    }
  }
  const logger = new Own();
  const { create, clock } = setUp({ tokens: [json({}, 503), tokenResponse("t", 60)] }, { logger });
  await expect(clock.run(create())).resolves.toBeDefined();
  expect(logger.lines).toBe(3);
});
