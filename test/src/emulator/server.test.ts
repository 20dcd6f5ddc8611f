import { execFile } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { connect } from "node:net";
import { setImmediate } from "node:timers/promises";
import { promisify } from "node:util";
import fc from "fast-check";
import { decodeJwt } from "jose";
import { describe, expect, test } from "vitest";
import { type EmulatorPath, startEmulator } from "../../../src/emulator/emulator.js";
import { start, startShared } from "../../support/emulator.js";

const shared = startShared();

describe("HTTP", () => {
  test.each([100_001, 20_000_000])("a body of %i bytes is refused", async (bytes) => {
    expect((await shared.post("/oauth/token", "x".repeat(bytes))).status).toBe(413);
  });

  test("JSON that is nested deeper than 100 levels is refused", async () => {
    const nested = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}`;
    const token = await shared.emulator.signToken();
    const send = (path: EmulatorPath, depth: number) =>
      shared.post(path, nested(depth), { authorization: `Bearer ${token}` });
    for (const path of ["/oauth/token", "/api/customer_tokens"] as const) {
      for (const depth of [101, 10_000]) expect((await send(path, depth)).status).toBe(400);
      expect(await (await send(path, 101)).text()).toBe("The body is nested deeper than 100 levels\n");
    }
    expect((await send("/api/customer_tokens", 99)).status).toBe(422);
    const fault = await start({ control: true });
    const response = await fetch(`${fault.emulator.url}/emulator/faults`, { method: "POST", body: nested(10_000) });
    expect(response.status).toBe(400);
  });

  test("whatever is sent, it responds, and never with a 5xx", async () => {
    const token = await shared.emulator.signToken();
    const headerText = fc.stringMatching(/^[\x21-\x7e\xa1-\xff]{0,40}$/);
    const body = fc.oneof(
      fc.string(),
      fc.json(),
      fc.uint8Array(),
      fc.record({ customer_guid: fc.jsonValue(), scopes: fc.jsonValue() }).map((value) => JSON.stringify(value)),
      fc
        .record({ grant_type: fc.constant("client_credentials"), client_id: fc.jsonValue(), scope: fc.jsonValue() })
        .map((value) => JSON.stringify(value)),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("/oauth/token", "/api/customer_tokens"),
        body,
        fc.oneof(fc.constantFrom("application/json", "application/x-www-form-urlencoded"), headerText),
        fc.oneof(
          fc.constant(`Bearer ${token}`),
          headerText,
          headerText.map((text) => `Bearer ${text}`),
          headerText.map((text) => `Basic ${text}`),
        ),
        async (path, sent, type, authorization) => {
          const headers = { authorization, "content-type": type };
          const response = await fetch(`${shared.emulator.url}${path}`, { method: "POST", headers, body: sent });
          expect(response.status).toBeGreaterThanOrEqual(400);
          expect(response.status).toBeLessThan(500);
          await response.arrayBuffer();
        },
      ),
      { numRuns: 200 },
    );
  });

  test("bytes that are not HTTP do it no harm", async () => {
    const port = Number(new URL(shared.emulator.url).port);
    const opening = fc.constantFrom("", "POST /oauth/token HTTP/1.1\r\n", "POST /oauth/token HTTP/1.1\r\nhost: a\r\n");
    await fc.assert(
      fc.asyncProperty(opening, fc.uint8Array(), async (begin, rest) => {
        const socket = connect(port, "127.0.0.1").resume();
        socket.on("error", () => {});
        socket.end(Buffer.concat([Buffer.from(begin), rest]));
        await once(socket, "close");
      }),
    );
    expect((await shared.requestToken()).status).toBe(200);
  });

  test("a client that goes away in the middle of its request is logged with status 0", async () => {
    const log = new EventEmitter();
    const logged = once(log, "request");
    const { emulator, requestToken } = await start({ onRequest: (request) => log.emit("request", request) });
    const socket = connect(Number(new URL(emulator.url).port), "127.0.0.1");
    socket.write("POST /oauth/token HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n{", () => socket.destroy());
    expect(await logged).toMatchObject([{ path: "/oauth/token", status: 0 }]);
    expect((await requestToken()).status).toBe(200);
  });

  test("many requests at once all get a response", async () => {
    const { emulator, requestToken } = await start({ clients: [{ clientId: "c", clientSecret: "s" }] });
    const statuses = await Promise.all(
      Array.from({ length: 1001 }, async (_, index) => {
        const response = await requestToken(index % 10 === 0 ? {} : { client_secret: "wrong" });
        await response.arrayBuffer();
        return response.status;
      }),
    );
    expect(statuses.filter((status) => status === 200)).toHaveLength(101);
    expect(statuses.filter((status) => status === 401)).toHaveLength(900);
    expect(emulator.counts["/oauth/token"]).toBe(1001);
    // The log keeps the last 1000.
    expect(emulator.requests).toHaveLength(1000);
  });
});

test("a port in use rejects", async () => {
  const port = Number(new URL(shared.emulator.url).port);
  await expect(startEmulator({ port })).rejects.toMatchObject({ code: "EADDRINUSE" });
});

test.each(["localhost", "0.0.0.0"])("listens on %s", async (host) => {
  const { emulator, bankToken } = await start({ host });
  expect(new URL(emulator.url).hostname).toBe(host === "localhost" ? host : "127.0.0.1");
  expect(decodeJwt(await bankToken()).iss).toBe(emulator.url);
});

test("two run side by side, and closing twice does no harm", async () => {
  const [a, b] = await Promise.all([start(), start({ signingKey: undefined })]);
  expect(a.emulator.url).not.toBe(b.emulator.url);
  const foreign = await (await b.create(await a.bankToken())).json();
  expect(foreign).toMatchObject({ error_message: "Signature verification raised" });
  await a.emulator.close();
  await a.emulator.close();
  expect((await b.requestToken()).status).toBe(200);
});

test("closing ends connections that have sent nothing yet, and frees the port", async () => {
  const { emulator } = await start();
  const port = Number(new URL(emulator.url).port);
  const socket = connect(port, "127.0.0.1").resume();
  await once(socket, "connect");
  await setImmediate();
  const closed = once(socket, "close");
  await emulator.close();
  await closed;
  const { emulator: next } = await start({ port });
  expect(new URL(next.url).port).toBe(String(port));
});

test("a process that has closed it ends; what onRequest throws is not caught, and cuts the connection", async () => {
  const run = (body: string) => {
    const program = `const { startEmulator } = await import("./src/emulator/emulator.ts"); ${body}`;
    const node = ["--import", "tsx", "--input-type=module", "--eval", program];
    return promisify(execFile)(process.execPath, node, { timeout: 20_000 });
  };
  const closes = run(`
    const emulator = await startEmulator({ faults: [{ path: "/.well-known/jwks.json", delayMs: 1e6 }] });
    const hanging = fetch(emulator.url + "/.well-known/jwks.json").catch(() => console.log("ended"));
    while (emulator.counts["/.well-known/jwks.json"] === 0) await new Promise(setImmediate);
    await emulator.close();
    await hanging;
  `);
  const throws = run(`
    process.once("unhandledRejection", (error) => console.log(error.message));
    const emulator = await startEmulator({ onRequest({ status }) { if (status === 404) throw new Error("thrown"); } });
    await fetch(emulator.url + "/none").catch(() => console.log("cut"));
    await emulator.close();
  `);
  await Promise.all([
    expect(closes).resolves.toMatchObject({ stdout: "ended\n" }),
    expect(throws).resolves.toMatchObject({ stdout: "thrown\ncut\n" }),
  ]);
});
