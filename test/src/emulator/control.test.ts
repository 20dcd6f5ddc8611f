import { once } from "node:events";
import { connect } from "node:net";
import { decodeJwt } from "jose";
import { describe, expect, test } from "vitest";
import { start, startShared } from "../../support/emulator.js";

const shared = startShared();

describe("reset", () => {
  test("brings back the state that it started with", async () => {
    const { emulator, requestToken, bankToken, create, get } = await start({
      faults: [{ path: "/oauth/token", nth: 2, status: 503 }],
      quotas: { tokenRequests: 3 },
    });
    const { counts, requests, reset } = emulator;
    const statuses: number[][] = [];
    const keys: unknown[] = [];
    for (let round = 0; round < 2; round++) {
      keys.push(await (await get("/.well-known/jwks.json")).json());
      const token = await bankToken();
      statuses.push([(await create(token)).status, (await requestToken()).status, (await requestToken()).status]);
      emulator.play({ path: "/api/customer_tokens", times: Infinity, status: 500 });
      emulator.revokeTokens();
      await emulator.rotateKey();
      emulator.advanceClock(3600_000);
      statuses.push([(await create(token)).status, (await requestToken()).status, (await requestToken()).status]);
      reset();
      expect(new Set(Object.values(counts))).toEqual(new Set([0]));
      expect(requests).toEqual([]);
      expect((await create(token)).status).toBe(201);
      reset();
    }
    // The quota's fourth request comes in another window.
    expect(statuses.slice(2)).toEqual(statuses.slice(0, 2));
    expect(statuses).toEqual([
      [201, 503, 200],
      [500, 200, 200],
      [201, 503, 200],
      [500, 200, 200],
    ]);
    expect(keys[1]).toEqual(keys[0]);
  });

  test("does not record what came before it", async () => {
    const { emulator, requestToken } = await start({ faults: [{ path: "/oauth/token", delayMs: Infinity }] });
    const caller = connect(Number(new URL(emulator.url).port), "127.0.0.1");
    caller.write("POST /oauth/token HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n");
    await expect.poll(() => emulator.counts["/oauth/token"]).toBe(1);
    emulator.reset();
    emulator.clearFaults();
    caller.destroy();
    await once(caller, "close");
    expect((await requestToken()).status).toBe(200);
    await emulator.close();
    expect(emulator.requests).toMatchObject([{ path: "/oauth/token", status: 200 }]);
    expect(emulator.counts["/oauth/token"]).toBe(1);
  });
});

test("at most 1000 faults wait", async () => {
  const { emulator } = await start();
  const fault = { path: "/oauth/token", status: 503 } as const;
  emulator.play(...Array.from({ length: 999 }, () => fault));
  expect(() => emulator.play(fault, fault)).toThrow("faults: expected at most 1000 to wait");
  emulator.play(fault);
});

test("advanceClock lets tokens expire, and takes only what leads to a date", async () => {
  const { emulator, bankToken, create } = await start({ now: () => 1_700_000_000_000 });
  const token = await bankToken();
  emulator.advanceClock(1_799_999);
  expect((await create(token)).status).toBe(201);
  emulator.advanceClock(1);
  expect((await create(token)).status).toBe(401);
  emulator.advanceClock(-1);
  expect((await create(token)).status).toBe(201);
  for (const wrong of [NaN, Infinity, 8.64e15, "5", undefined, null]) {
    expect(() => emulator.advanceClock(wrong as number)).toThrow(/^advanceMs: expected milliseconds/);
  }
  expect(decodeJwt(await bankToken()).iat).toBe(1_700_001_799);
});

describe("by HTTP", () => {
  const send = (url: string, method: string, path: string, body?: unknown, headers = {}) =>
    fetch(`${url}/emulator/${path}`, {
      method,
      headers,
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });

  test("revokes tokens, rotates the key, injects faults, and gives the requests received so far", async () => {
    const { emulator, get, bankToken, create } = await start({ control: true });
    const { url } = emulator;
    for (const path of ["revoke-tokens", "rotate-key"]) {
      const token = await bankToken();
      expect((await create(token)).status).toBe(201);
      expect([path, (await send(url, "POST", path)).status]).toEqual([path, 204]);
      expect(await (await create(token)).json()).toMatchObject({ message_code: "authentication_failed" });
    }
    const fault = { path: "/api/customer_tokens", status: 503 };
    expect((await send(url, "POST", "faults", fault)).status).toBe(204);
    expect((await create(await bankToken())).status).toBe(503);
    expect((await create(await bankToken())).status).toBe(201);
    const { counts, requests } = (await (await get("/emulator/requests")).json()) as typeof emulator;
    expect(counts).toEqual(emulator.counts);
    expect(requests).toEqual(JSON.parse(JSON.stringify(emulator.requests)));
    expect(requests.slice(0, 3)).toMatchObject([
      { path: "/oauth/token", status: 200 },
      { path: "/api/customer_tokens", status: 201 },
      { path: "/api/customer_tokens", status: 401, reason: "the token was revoked", fault: false },
    ]);
    // What controls the emulator is not among them.
    expect(requests.map(({ path }) => path).filter((path) => path.startsWith("/emulator/"))).toEqual([]);
  });

  test("takes a list of faults, removes them, moves the clock and resets", async () => {
    const fault = { path: "/oauth/token", status: 503 } as const;
    const { emulator, requestToken, bankToken, create } = await start({ control: true, faults: [fault] });
    const { url } = emulator;
    expect((await send(url, "POST", "faults", [fault, fault, fault])).status).toBe(204);
    expect((await requestToken()).status).toBe(503);
    expect((await send(url, "DELETE", "faults")).status).toBe(204);
    expect((await requestToken()).status).toBe(200);
    const token = await bankToken();
    expect((await send(url, "POST", "clock", { advanceMs: 1_800_000 })).status).toBe(204);
    expect(await (await create(token)).json()).toMatchObject({ error_message: "Signature has expired" });
    expect((await send(url, "POST", "reset")).status).toBe(204);
    expect((await create(token)).status).toBe(201);
    expect(emulator.counts).toMatchObject({ "/oauth/token": 0, "/api/customer_tokens": 1 });
    expect(emulator.requests).toHaveLength(1);
  });

  test.each<[method: string, path: string, body: unknown, message: RegExp]>([
    ["POST", "faults", { path: "/" }, /^faults: expected the path of/],
    ["POST", "faults", [{ path: "/oauth/token", status: 503 }, {}], /^faults: expected the path of .* in fault 2\n$/],
    ["POST", "faults", "{", /^faults: expected an object\n$/],
    ["POST", "clock", {}, /^advanceMs: expected milliseconds/],
    ["POST", "clock", "", /^advanceMs: expected milliseconds/],
    ["POST", "clock", { advanceMs: 1e300 }, /^advanceMs: expected milliseconds/],
  ])("responds with 400 to %s %s with %j, and says why", async (method, path, body, message) => {
    const { emulator, requestToken } = await start({ control: true });
    const refused = await send(emulator.url, method, path, body);
    expect([refused.status, await refused.text()]).toEqual([400, expect.stringMatching(message)]);
    expect((await requestToken()).status).toBe(200);
  });

  test("is not for web pages, which send an Origin, and cannot read it across origins", async () => {
    const { emulator } = await start({ control: true });
    const origin = { origin: "https://example.com" };
    for (const [method, path] of [
      ["POST", "reset"],
      ["GET", "requests"],
      ["OPTIONS", "faults"],
    ] as const) {
      const refused = await send(emulator.url, method, path, undefined, origin);
      expect([path, refused.status]).toEqual([path, 403]);
      expect(refused.headers.get("access-control-allow-origin")).toBeNull();
    }
    const own = await send(emulator.url, "GET", "requests");
    expect([own.status, own.headers.get("access-control-allow-origin")]).toEqual([200, null]);
  });

  test("is not there unless the option says so", async () => {
    for (const path of ["revoke-tokens", "reset", "clock", "faults"]) {
      expect((await send(shared.emulator.url, "POST", path)).status).toBe(404);
    }
  });
});
