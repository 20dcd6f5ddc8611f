import { describe, expect, test } from "vitest";
import { bearer, InvalidArgumentError } from "../../../src/index.js";
import { setUp as setUpClient } from "../../support/client.js";
import { customerToken, json, stale } from "../../support/service.js";

/** Without retries: each test counts the requests that it is about. */
const setUp: typeof setUpClient = (script, options) => setUpClient(script, { maxRetries: 0, ...options });

describe("bearer", () => {
  test("sends the token, and asks the token endpoint for nothing", async () => {
    const { create, customerTokenRequests, tokenRequests } = setUp({}, { auth: bearer("static") });
    await create();
    expect(customerTokenRequests[0]?.headers.get("authorization")).toBe("Bearer static");
    expect(tokenRequests).toHaveLength(0);
  });

  test("asks a function once per attempt", async () => {
    let given = 0;
    const { create, customerTokenRequests, clock } = setUp(
      { customerTokens: [json({}, 503), customerToken("c")] },
      { auth: bearer(async () => `token-${++given}`), maxRetries: 2 },
    );
    await clock.run(create());
    expect(customerTokenRequests.map(({ headers }) => headers.get("authorization"))).toEqual([
      "Bearer token-1",
      "Bearer token-2",
    ]);
  });

  test("does not try again after a 401", async () => {
    const { create, customerTokenRequests } = setUp(
      { customerTokens: [stale()] },
      { auth: bearer(() => "static"), maxRetries: 2 },
    );
    await expect(create()).rejects.toMatchObject({ status: 401, attempts: 1 });
    expect(customerTokenRequests).toHaveLength(1);
  });

  test("passes on what the function throws", async () => {
    const failure = new Error("the vault is sealed");
    const { create, fetch } = setUp({}, { auth: bearer(() => Promise.reject(failure)) });
    await expect(create()).rejects.toBe(failure);
    expect(fetch).not.toHaveBeenCalled();
  });

  test.each(["", "Bearer abc", "a\nb", "schlüssel", undefined, 7])("refuses %j", async (token) => {
    expect(() => bearer(token as string)).toThrow(InvalidArgumentError);
    const { create, fetch } = setUp({}, { auth: bearer(() => token as string) });
    await expect(create()).rejects.toMatchObject({ name: "InvalidArgumentError", field: "token" });
    expect(fetch).not.toHaveBeenCalled();
  });
});
