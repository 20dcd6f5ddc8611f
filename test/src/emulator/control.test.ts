import { once } from "node:events";
import { connect } from "node:net";
import { decodeJwt } from "jose";
import { expect, test } from "vitest";
import { start } from "../../support/emulator.js";

test("reset does not record what came before it", async () => {
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

test("at most 1000 faults wait", async () => {
  const { emulator } = await start();
  const fault = { path: "/oauth/token", status: 503 } as const;
  emulator.play(...Array.from({ length: 999 }, () => fault));
  expect(() => emulator.play(fault, fault)).toThrow("faults: at most 1000 can wait");
  emulator.play(fault);
});

test("advanceClock takes only what leads to a date", async () => {
  const { emulator, bankToken } = await start({ now: () => 1_700_000_000_000 });
  for (const wrong of [NaN, Infinity, 8.64e15, "5", undefined, null]) {
    expect(() => emulator.advanceClock(wrong as number)).toThrow(/^advanceMs: expected milliseconds/);
  }
  emulator.advanceClock(1_799_999);
  expect(decodeJwt(await bankToken()).iat).toBe(1_700_001_799);
});
