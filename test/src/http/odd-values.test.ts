import fc from "fast-check";
import { expect, test } from "vitest";
import { setUp } from "../../support/client.js";
import { settle } from "../../support/clock.js";
import { customerToken, json, tokenAnswer, unsignedJwt } from "../../support/service.js";

/** What a header can hold, and much that looks like a number or a date. */
const headerValue = fc
  .oneof(
    fc.stringMatching(/^[\x20-\x7e]{0,30}$/),
    fc.double().map(String),
    fc.bigInt().map(String),
    fc.date({ noInvalidDate: false }).map((date) => date.toString()),
    fc
      .date({ noInvalidDate: true, min: new Date("0001-01-01"), max: new Date("9999-12-31") })
      .map((date) => date.toUTCString()),
    fc.constantFrom("1e3", "0x10", "+5", "５", "Infinity", "9".repeat(400), "Mon", "Sunday, 99-Foo-94 08:49:37 GMT"),
  )
  .filter((value) => [...value].every((char) => char.charCodeAt(0) < 256));

test("whatever Retry-After says, a call waits no longer than it may, and says a number or nothing", async () => {
  await fc.assert(
    fc.asyncProperty(headerValue, fc.boolean(), async (value, ofTokenRequest) => {
      const refused = json({}, 429, { "retry-after": value });
      const { clock, create, fetch } = setUp({ [ofTokenRequest ? "tokens" : "customerTokens"]: [refused] });
      const error: unknown = await clock.run(create()).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ name: ofTokenRequest ? "TokenRequestError" : "ApiError", status: 429 });
      const { retryAfterSeconds = 0 } = error as { retryAfterSeconds?: number };
      expect(retryAfterSeconds).toBeGreaterThanOrEqual(0);
      expect(clock.elapsedMs).toBeLessThan(10_000);
      expect(fetch.mock.calls.length).toBeLessThanOrEqual(4);
    }),
  );
});

const expiresIn = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.double().map(String),
  fc.constantFrom<unknown>(0, -1, -0, 1e308, "1e308", "60s", " 60 ", "", "NaN", "Infinity", null, true, [], [60], {}),
  fc.jsonValue(),
);

test("whatever expires_in says, the token serves, and a stated life is not exceeded", async () => {
  await fc.assert(
    fc.asyncProperty(expiresIn, fc.option(fc.integer({ min: 1, max: 86_400 })), async (value, jwtSeconds) => {
      const token = (nth: number) => (jwtSeconds === null ? `t${nth}` : unsignedJwt({ nth, iat: 0, exp: jwtSeconds }));
      const { clock, create, customerTokenRequests } = setUp({
        tokens: [tokenAnswer(token(1), value), tokenAnswer(token(2), 3600)],
        customerTokens: [customerToken("c")],
      });
      await expect(create()).resolves.toEqual({ access_token: "c" });
      await expect(create()).resolves.toEqual({ access_token: "c" });
      await settle();

      const stated = typeof value === "number" && value > 0 ? value : undefined;
      const seconds = stated ?? (typeof value === "number" ? (jwtSeconds ?? undefined) : undefined);
      if (seconds === undefined || seconds > 1e9) return;
      clock.advance(seconds * 1000);
      await expect(clock.run(create())).resolves.toBeDefined();
      expect(customerTokenRequests.at(-1)?.headers.get("authorization")).toBe(`Bearer ${token(2)}`);
    }),
  );
});
