import fc from "fast-check";
import { expect, test } from "vitest";
import { setUp } from "../../support/client.js";
import { settle } from "../../support/clock.js";
import { customerToken, tokenResponse, unsignedJwt } from "../../support/service.js";

const expiresIn = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.double().map(String),
  fc.constantFrom<unknown>(0, -1, -0, 1e308, "1e308", "60s", " 60 ", "", "NaN", "Infinity", null, true, [], [60], {}),
  fc.jsonValue(),
);

test("whatever expires_in says, the token is used, and not for longer than its stated lifetime", async () => {
  await fc.assert(
    fc.asyncProperty(expiresIn, fc.option(fc.integer({ min: 1, max: 86_400 })), async (value, jwtSeconds) => {
      const token = (nth: number) => (jwtSeconds === null ? `t${nth}` : unsignedJwt({ nth, iat: 0, exp: jwtSeconds }));
      const { clock, create, customerTokenRequests } = setUp({
        tokens: [tokenResponse(token(1), value), tokenResponse(token(2), 3600)],
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
