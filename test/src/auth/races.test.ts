import { describe, expect, test } from "vitest";
import { bearer, TimeoutError } from "../../../src/index.js";
import { setUp } from "../../support/client.js";
import { FakeClock, settle } from "../../support/clock.js";
import { customerToken, json, stale, tokenAnswer, type Seen, unsignedJwt } from "../../support/service.js";

/** An answer that comes when the test says so. */
function later() {
  let answer!: (response: Response) => void;
  const promise = new Promise<Response>((resolve) => (answer = resolve));
  return { promise, answer };
}

const bearerOf = ({ headers }: Seen) => headers.get("authorization");

describe("an abort", () => {
  test("in the wait before a retry asks for no token any more", async () => {
    let asked = 0;
    const { mint, mints } = setUp({ mints: [json({}, 503)] }, { auth: bearer(() => `token-${++asked}`) });
    const controller = new AbortController();
    const call = mint({ signal: controller.signal });
    await settle();
    controller.abort("enough");
    await expect(call).rejects.toBe("enough");
    await settle();
    expect([asked, mints.length]).toEqual([1, 1]);
  });

  test("leaves no timer, also where the token request fails after it", async () => {
    const token = later();
    const { clock, mint } = setUp({ tokens: [() => token.promise] });
    const controller = new AbortController();
    const call = mint({ signal: controller.signal });
    await settle();
    controller.abort("enough");
    await expect(call).rejects.toBe("enough");
    token.answer(json({}, 503));
    await settle();
    expect(clock.pendingTimers).toBe(0);
  });

  test("of everybody who waits for a token lets the request end, for the next to use", async () => {
    const token = later();
    const { mint, tokenRequests } = setUp({ tokens: [() => token.promise] });
    const controller = new AbortController();
    const calls = [mint({ signal: controller.signal }), mint({ signal: controller.signal })];
    await settle();
    controller.abort("enough");
    await expect(Promise.allSettled(calls)).resolves.toMatchObject([{ reason: "enough" }, { reason: "enough" }]);
    token.answer(tokenAnswer("bank-1", 3600));
    await settle();
    await expect(mint()).resolves.toBeDefined();
    expect(tokenRequests).toHaveLength(1);
  });

  test("while a refused token is replaced ends that call alone", async () => {
    const renewal = later();
    const { clock, mint, tokenRequests, mints } = setUp({
      tokens: [tokenAnswer("bank-1", 3600), () => renewal.promise],
      mints: [customerToken("warm"), stale(), stale(), customerToken("c")],
    });
    await mint();
    clock.advance(60_000);
    const controller = new AbortController();
    const aborted = mint({ signal: controller.signal });
    const other = mint();
    await settle();
    controller.abort("enough");
    await expect(aborted).rejects.toBe("enough");
    renewal.answer(tokenAnswer("bank-2", 3600));
    await expect(other).resolves.toEqual({ access_token: "c" });
    expect(tokenRequests).toHaveLength(2);
    expect(mints).toHaveLength(4);
  });
});

test.each([
  ["wait", json({}, 503)],
  ["renewal", stale()],
])("an answer that comes after the call's end begins no %s", async (_, answer) => {
  const slow = later();
  const { clock, mint, tokenRequests } = setUp({ mints: [customerToken("warm"), () => slow.promise] });
  await mint();
  const controller = new AbortController();
  const call = mint({ signal: controller.signal });
  await settle();
  controller.abort("enough");
  await expect(call).rejects.toBe("enough");
  slow.answer(answer);
  await settle();
  expect([clock.pendingTimers, tokenRequests.length]).toEqual([0, 1]);
});

describe("a call's own timeoutMs", () => {
  test("ends its wait for the token, not the token request of the others", async () => {
    const token = later();
    const { clock, mint, tokenRequests } = setUp({ tokens: [() => token.promise] });
    const short = mint({ timeoutMs: 50 });
    const long = mint();
    await settle();
    clock.advance(50);
    await expect(short).rejects.toThrow(TimeoutError);
    await expect(short).rejects.toMatchObject({ timeoutMs: 50, attempts: 0 });
    token.answer(tokenAnswer("bank-1", 3600));
    await expect(long).resolves.toBeDefined();
    expect(tokenRequests).toHaveLength(1);
  });

  test("of fifty calls, one after the other, ends no token request and begins no second one", async () => {
    const token = later();
    const { clock, mint, tokenRequests } = setUp({ tokens: [() => token.promise] }, { timeoutMs: 60_000 });
    for (let call = 0; call < 50; call++) {
      await expect(clock.run(mint({ timeoutMs: 100 }))).rejects.toThrow(TimeoutError);
    }
    token.answer(tokenAnswer("bank-1", 3600));
    await expect(mint()).resolves.toBeDefined();
    expect(tokenRequests).toHaveLength(1);
  });
});

describe("an expired token is never sent:", () => {
  test("not by a retry whose wait it did not survive", async () => {
    const { clock, mint, mints } = setUp(
      {
        tokens: [tokenAnswer("bank-1", 60), tokenAnswer("bank-2", 60), tokenAnswer("bank-3", 60)],
        mints: [customerToken("warm"), stale(), stale(), json({}, 429, { "retry-after": "61" }), customerToken("c")],
      },
      { timeoutMs: 120_000, maxRetries: 3 },
    );
    await mint();
    await expect(clock.run(mint())).resolves.toEqual({ access_token: "c" });
    expect(mints.map(bearerOf)).toEqual([1, 1, 1, 2, 3].map((nth) => `Bearer bank-${nth}`));
  });

  test("not by a call whose 401 comes when the next token has ended too", async () => {
    const late = later();
    const { clock, mint, mints } = setUp(
      {
        tokens: [tokenAnswer("bank-1", 60), tokenAnswer("bank-2", 60), tokenAnswer("bank-3", 60)],
        mints: [customerToken("warm"), () => late.promise, customerToken("second"), customerToken("c")],
      },
      { timeoutMs: 600_000 },
    );
    await mint();
    const call = mint();
    await settle();
    clock.advance(60_000);
    await mint();
    clock.advance(60_000);
    late.answer(stale());
    await expect(call).resolves.toEqual({ access_token: "c" });
    expect(mints.map(bearerOf)).toEqual(["Bearer bank-1", "Bearer bank-1", "Bearer bank-2", "Bearer bank-3"]);
  });

  test.each([-3600_000, 24 * 3600_000])(
    "nor asked for again and again, when the wall clock jumps by %i ms under a JWT without expires_in",
    async (jumpMs) => {
      const jwt = unsignedJwt({ exp: new FakeClock().wallMs / 1000 + 600 });
      const { clock, mint, tokenRequests } = setUp({ tokens: [tokenAnswer(jwt), tokenAnswer("opaque", 600)] });
      await mint();
      clock.wallMs += jumpMs;
      for (let call = 0; call < 100; call++) await mint();
      expect(tokenRequests).toHaveLength(1);
      clock.advance(600_000);
      for (let call = 0; call < 100; call++) await mint();
      expect(tokenRequests).toHaveLength(2);
    },
  );
});

test("a renewal that is refused in the background reaches nobody, while its token serves", async () => {
  const { clock, mint, tokenRequests } = setUp({
    tokens: [tokenAnswer("bank-1", 3600), json({ error: "invalid_client" }, 401)],
  });
  await mint();
  clock.advance(3000_000);
  await expect(Promise.all(Array.from({ length: 20 }, () => mint()))).resolves.toHaveLength(20);
  await settle(); // an unhandled rejection would fail the run
  expect(tokenRequests).toHaveLength(2);
});
