import { describe, expect, test } from "vitest";
import { bearer, TimeoutError } from "../../../src/index.js";
import { setUp } from "../../support/client.js";
import { FakeClock, settle } from "../../support/clock.js";
import { customerToken, json, later, stale, tokenAnswer, unsignedJwt } from "../../support/service.js";

/** Begins a call, does something while it is under way, and aborts it. */
async function abortedCall(create: ReturnType<typeof setUp>["create"], meanwhile = () => {}): Promise<void> {
  const controller = new AbortController();
  const call = create({ signal: controller.signal });
  await settle();
  meanwhile();
  controller.abort("enough");
  await expect(call).rejects.toBe("enough");
  await settle();
}

describe("an abort", () => {
  test("in the wait before a retry asks for no token any more", async () => {
    let asked = 0;
    const { create, clock, customerTokenRequests } = setUp(
      { customerTokens: [json({}, 429, { "retry-after": "5" })] },
      { auth: bearer(() => `token-${++asked}`) },
    );
    await abortedCall(create);
    expect([asked, customerTokenRequests.length, clock.elapsedMs, clock.pendingTimers]).toEqual([1, 1, 0, 0]);
  });

  test("leaves no timer, also if the token request fails after it", async () => {
    const token = later();
    const { clock, create } = setUp({ tokens: [token.comes] });
    await abortedCall(create);
    token.answer(json({}, 503));
    await settle();
    expect(clock.pendingTimers).toBe(0);
  });

  test("of everybody who waits for a token lets the request end, for the next to use", async () => {
    const token = later();
    const { create, tokenRequests } = setUp({ tokens: [token.comes] });
    await Promise.all([abortedCall(create), abortedCall(create)]);
    token.answer(tokenAnswer("bank-1", 3600));
    await settle();
    await expect(create()).resolves.toBeDefined();
    expect(tokenRequests).toHaveLength(1);
  });

  test("while a refused token is replaced ends that call alone", async () => {
    const renewal = later();
    const { clock, create, tokenRequests, customerTokenRequests } = setUp({
      tokens: [tokenAnswer("bank-1", 3600), renewal.comes],
      customerTokens: [customerToken("warm"), stale(), stale(), customerToken("c")],
    });
    await create();
    clock.advance(60_000);
    const aborted = abortedCall(create);
    const other = create();
    await aborted;
    renewal.answer(tokenAnswer("bank-2", 3600));
    await expect(other).resolves.toEqual({ access_token: "c" });
    expect([tokenRequests.length, customerTokenRequests.length]).toEqual([2, 4]);
  });
});

test.each([
  ["wait", json({}, 503)],
  ["renewal", stale()],
])("an answer that comes after the call's end begins no %s", async (_, answer) => {
  const slow = later();
  const { clock, create, tokenRequests } = setUp({ customerTokens: [customerToken("warm"), slow.comes] });
  await create();
  await abortedCall(create);
  slow.answer(answer);
  await settle();
  expect([clock.pendingTimers, tokenRequests.length]).toEqual([0, 1]);
});

test("a call's own timeoutMs ends its wait for the token, not the token request of the others", async () => {
  const token = later();
  const { clock, create, tokenRequests } = setUp({ tokens: [token.comes] }, { timeoutMs: 60_000 });
  const long = create();
  for (let call = 0; call < 50; call++) {
    const short = create({ timeoutMs: 100 });
    await settle();
    clock.advance(100);
    await expect(short).rejects.toThrow(TimeoutError);
    await expect(short).rejects.toMatchObject({ timeoutMs: 100, attempts: 0 });
  }
  token.answer(tokenAnswer("bank-1", 3600));
  await expect(long).resolves.toBeDefined();
  expect(tokenRequests).toHaveLength(1);
});

describe("an expired token is never sent:", () => {
  const tokens = [1, 2, 3].map((nth) => tokenAnswer(`bank-${nth}`, 60));

  test("not by a retry whose wait it did not survive", async () => {
    const wait = json({}, 429, { "retry-after": "61" });
    const customerTokens = [customerToken("warm"), stale(), stale(), wait, customerToken("c")];
    const { clock, create, bankTokens } = setUp({ tokens, customerTokens }, { timeoutMs: 120_000, maxRetries: 3 });
    await create();
    await expect(clock.run(create())).resolves.toEqual({ access_token: "c" });
    expect(bankTokens()).toEqual(["bank-1", "bank-1", "bank-1", "bank-2", "bank-3"]);
  });

  test("not by a call whose 401 comes when the next token has ended too", async () => {
    const late = later();
    const customerTokens = [customerToken("warm"), late.comes, customerToken("second"), customerToken("c")];
    const { clock, create, bankTokens } = setUp({ tokens, customerTokens }, { timeoutMs: 600_000 });
    await create();
    const call = create();
    await settle();
    clock.advance(60_000);
    await create();
    clock.advance(60_000);
    late.answer(stale());
    await expect(call).resolves.toEqual({ access_token: "c" });
    expect(bankTokens()).toEqual(["bank-1", "bank-1", "bank-2", "bank-3"]);
  });

  test.each([-3600_000, 24 * 3600_000])(
    "nor asked for again and again, when the wall clock jumps by %i ms under a JWT without expires_in",
    async (jumpMs) => {
      const jwt = unsignedJwt({ exp: new FakeClock().wallMs / 1000 + 600 });
      const { clock, create, tokenRequests } = setUp({ tokens: [tokenAnswer(jwt), tokenAnswer("opaque", 600)] });
      await create();
      clock.wallMs += jumpMs;
      for (let call = 0; call < 100; call++) await create();
      expect(tokenRequests).toHaveLength(1);
      clock.advance(600_000);
      for (let call = 0; call < 100; call++) await create();
      expect(tokenRequests).toHaveLength(2);
    },
  );
});
