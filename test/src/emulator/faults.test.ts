import { EventEmitter, once } from "node:events";
import { describe, expect, test } from "vitest";
import type { Fault } from "../../../src/emulator/emulator.js";
import { start, startShared } from "../../support/emulator.js";

const shared = startShared();

describe("faults", () => {
  test("a status with headers and a body, for the nth request", async () => {
    const { requestToken } = await start({
      faults: [
        {
          path: "/oauth/token",
          nth: 2,
          status: 429,
          headers: { "Retry-After": "7", "Content-Type": "text/html" },
          body: "<h1>Slow down</h1>",
        },
      ],
    });
    expect((await requestToken()).status).toBe(200);
    const second = await requestToken();
    expect(second.status).toBe(429);
    expect([second.headers.get("retry-after"), second.headers.get("content-type")]).toEqual(["7", "text/html"]);
    expect(await second.text()).toBe("<h1>Slow down</h1>");
    expect((await requestToken()).status).toBe(200);
  });

  test.each<[string, Omit<Fault, "path">[], number[]]>([
    [
      "one after the other, each as often as it says, the nth before all others",
      [{ times: 2, status: 503 }, { status: 502 }, { nth: 2, times: 2, status: 429 }],
      [503, 429, 429, 503, 502, 200],
    ],
    [
      "two for the same request",
      [
        { nth: 1, status: 503 },
        { nth: 1, status: 502 },
      ],
      [503, 502, 200],
    ],
    ["for ever", [{ times: Infinity, status: 503 }], [503, 503, 503]],
  ])("%s", async (_, faults, statuses) => {
    const { emulator, requestToken } = await start();
    const path = "/oauth/token" as const;
    emulator.play({ path: "/api/customer_tokens", status: 500 }, ...faults.map((fault) => ({ path, ...fault })));
    for (const status of statuses) expect((await requestToken()).status).toBe(status);
  });

  test.each([
    [undefined, "", null],
    ["", "", "text/plain; charset=utf-8"],
    [null, "null", "application/json"],
    [{ a: 1 }, '{"a":1}', "application/json"],
  ])("a body of %j", async (body, text, type) => {
    shared.emulator.play({ path: "/oauth/token", status: 200, body });
    const response = await shared.requestToken();
    expect([await response.text(), response.headers.get("content-type")]).toEqual([text, type]);
  });

  test("headers alone go with the usual response, and replace those of the same name", async () => {
    const headers = { date: "Thu, 01 Jan 1970 00:00:00 GMT", "cache-control": "public" };
    shared.emulator.play({ path: "/oauth/token", headers });
    const response = await shared.requestToken();
    expect(response.status).toBe(200);
    for (const [name, value] of Object.entries(headers)) expect(response.headers.get(name)).toBe(value);
  });

  test("the log says that there was one, and its reason, in bounds", async () => {
    const { emulator, requestToken } = await start();
    const body = { error: "a".repeat(1000), error_description: "b".repeat(1000) };
    emulator.play({ path: "/oauth/token", status: 400, body }, { path: "/oauth/token", status: 502, body: "<h1>\n" });
    emulator.play({ path: "/oauth/token", delayMs: 1 }, { path: "/oauth/token", status: 400, body: { error: 7 } });
    for (let count = 0; count < 5; count++) await requestToken();
    expect(emulator.requests.map(({ code, reason, fault }) => [code, reason, fault])).toEqual([
      ["a".repeat(200), "b".repeat(200), true],
      [undefined, "<h1>", true],
      [undefined, undefined, true],
      [undefined, undefined, true],
      [undefined, undefined, false],
    ]);
  });

  test.each([
    ["before", 0],
    ["after", 1],
  ] as const)("a connection that is cut %s the request is processed", async (reset, accepted) => {
    const quotas = { tokenRequests: 1, customerTokens: 1, windowSeconds: 300 };
    const { emulator, create } = await start({ quotas });
    const token = await emulator.signToken();
    emulator.play({ path: "/api/customer_tokens", reset });
    await expect(create(token)).rejects.toThrow("fetch failed");
    expect(emulator.counts["/api/customer_tokens"]).toBe(1);
    expect(emulator.requests).toMatchObject([{ status: 0 }]);
    // Only a processed request uses up quota.
    expect((await create(token)).status).toBe(accepted === 0 ? 201 : 429);
  });

  test.each([0, 10])("a response cut after %i bytes", async (truncateBytes) => {
    const { emulator, create } = shared;
    const token = await emulator.signToken();
    emulator.play({ path: "/api/customer_tokens", truncateBytes });
    const response = await create(token);
    expect(response.status).toBe(201);
    await expect(response.text()).rejects.toThrow("terminated");
  });

  test("a delay, which closing ends", async () => {
    const { emulator, requestToken } = await start({ faults: [{ path: "/oauth/token", delayMs: Infinity }] });
    const hanging = expect(requestToken()).rejects.toThrow("fetch failed");
    await expect.poll(() => emulator.counts["/oauth/token"]).toBe(1);
    await emulator.close();
    await hanging;
    expect(emulator.requests).toMatchObject([{ path: "/oauth/token", status: 0 }]);
  });

  test("a delay, which ends when the client goes away", async () => {
    const log = new EventEmitter();
    const logged = once(log, "request");
    const { emulator } = await start({
      faults: [{ path: "/.well-known/jwks.json", delayMs: Infinity }],
      onRequest: (request) => log.emit("request", request),
    });
    const caller = new AbortController();
    const hanging = fetch(`${emulator.url}/.well-known/jwks.json`, { signal: caller.signal });
    const rejected = expect(hanging).rejects.toThrow("aborted");
    await expect.poll(() => emulator.counts["/.well-known/jwks.json"]).toBe(1);
    caller.abort();
    await rejected;
    expect(await logged).toMatchObject([{ status: 0 }]);
  });

  test("the documented quota, as a gateway responds to it", async () => {
    let nowMs = 0;
    const quotas = { tokenRequests: 2, customerTokens: 1, windowSeconds: 300 };
    const { requestToken, create } = await start({ quotas, now: () => nowMs });
    expect([(await requestToken()).status, (await requestToken()).status]).toEqual([200, 200]);
    expect([(await create()).status, (await create()).status]).toEqual([401, 429]);
    nowMs += 100_000;
    const over = await requestToken();
    expect([over.status, over.headers.get("retry-after")]).toEqual([429, "200"]);
    nowMs += 200_000;
    expect((await requestToken()).status).toBe(200);
  });
});

test("a fault for a request that has been is refused, and none of its list added", async () => {
  const { emulator, requestToken } = await start();
  await requestToken();
  const path = "/oauth/token";
  const late = () => emulator.play({ path, status: 503 }, { path, nth: 1, status: 503 });
  expect(late).toThrow("faults: expected nth to be a request yet to come; there were 1 in fault 2");
  expect((await requestToken()).status).toBe(200);
});
