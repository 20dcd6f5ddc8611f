import { expect, test } from "vitest";
import { bearer } from "../../../src/index.js";
import { setUp, setUpOnce } from "../../support/client.js";
import { settle } from "../../support/clock.js";
import { customerToken, json, stale } from "../../support/service.js";

test("the token is sent, and nothing is sent to the token endpoint", async () => {
  const { create, bankTokens, tokenRequests } = setUpOnce({}, { auth: bearer("static") });
  await create();
  expect([bankTokens(), tokenRequests]).toEqual([["static"], []]);
});

test("a function is called once per attempt", async () => {
  let given = 0;
  const auth = bearer(async () => `token-${++given}`);
  const { create, bankTokens, clock } = setUp({ customerTokens: [json({}, 503), customerToken("c")] }, { auth });
  await clock.run(create());
  expect(bankTokens()).toEqual(["token-1", "token-2"]);
});

test("a 401 is final", async () => {
  const { create, fetch } = setUp({ customerTokens: [stale()] }, { auth: bearer(() => "static") });
  await expect(create()).rejects.toMatchObject({ status: 401, attempts: 1 });
  expect(fetch).toHaveBeenCalledTimes(1);
});

test("the caller gets the error that the function throws", async () => {
  const failure = new Error("the vault is sealed");
  const { create, fetch } = setUp({}, { auth: bearer(() => Promise.reject(failure)) });
  await expect(create()).rejects.toBe(failure);
  expect(fetch).not.toHaveBeenCalled();
});

test("an abort in the wait before a retry requests no other token", async () => {
  let calls = 0;
  const customerTokens = [json({}, 429, { "retry-after": "5" })];
  const { create, clock, customerTokenRequests } = setUp(
    { customerTokens },
    { auth: bearer(() => `token-${++calls}`) },
  );
  const controller = new AbortController();
  const call = create({ signal: controller.signal });
  await settle();
  controller.abort("enough");
  await expect(call).rejects.toBe("enough");
  await settle();
  expect([calls, customerTokenRequests.length, clock.elapsedMs, clock.pendingTimers]).toEqual([1, 1, 0, 0]);
});
