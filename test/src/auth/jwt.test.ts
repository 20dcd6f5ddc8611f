import fc from "fast-check";
import { expect, test } from "vitest";
import { expiresAt } from "../../../src/index.js";
import { unsignedJwt } from "../../support/service.js";

test("returns the time of exp", () => {
  expect(expiresAt(unsignedJwt({ exp: 1_785_542_400 }))).toEqual(new Date("2026-08-01T00:00:00Z"));
});

test("reads claims that hold more than ASCII", () => {
  expect(expiresAt(unsignedJwt({ name: "Zoë 🦊 ~?>", exp: 1 }))).toEqual(new Date(1000));
});

test.each([{}, { exp: "1" }, { exp: null }, { exp: 1e300 }, { exp: -1e300 }, [], null, "exp", 7])(
  "returns undefined for the claims %j",
  (claims) => {
    expect(expiresAt(unsignedJwt(claims))).toBeUndefined();
  },
);

test("never throws, and returns a valid date or nothing", () => {
  const part = fc.oneof(
    fc.string(),
    fc.json().map((json) => Buffer.from(json).toString("base64url")),
  );
  const jwt = fc.oneof(
    fc.anything(),
    fc.string(),
    fc.array(part, { maxLength: 6 }).map((parts) => parts.join(".")),
    fc.oneof(fc.double(), fc.integer(), fc.string()).map((exp) => unsignedJwt({ exp })),
  );
  fc.assert(
    fc.property(jwt, (value) => {
      const date = expiresAt(value as string);
      expect(date === undefined || !Number.isNaN(date.getTime())).toBe(true);
    }),
  );
});
