import { EventEmitter, once } from "node:events";
import { describe, expect, test } from "vitest";
import { start, startShared } from "../../support/emulator.js";

const shared = startShared();

describe("faults", () => {
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
});
