import { describe, expect, test } from "vitest";
import type { OpenApi } from "../../../scripts/spec/json.js";
import { compareSpecs } from "../../../scripts/verdict/verdict.js";
import { asks, responses, thing, text, number, type Json } from "./specs.js";

describe("constraints: callers suffer from a tighter request, readers from a looser response", () => {
  const loose: Record<string, [loose: unknown, tight: unknown]> = {
    minLength: [1, 2],
    maxLength: [2, 1],
    minItems: [1, 2],
    maxItems: [2, 1],
    minProperties: [1, 2],
    maxProperties: [2, 1],
    minimum: [1, 2],
    maximum: [2, 1],
    multipleOf: [2, 4],
    uniqueItems: [false, true],
  };
  const level = async (from: OpenApi, to: OpenApi): Promise<string> => (await compareSpecs(from, to)).verdict;
  test.each(Object.entries(loose))("%s", async (keyword, [low, high]) => {
    const at = (value: unknown): Json => thing({ a: { ...number, [keyword]: value } });
    expect([await level(asks(at(low)), asks(at(high))), await level(asks(at(high)), asks(at(low)))]).toEqual([
      "major",
      "minor",
    ]);
    expect([
      await level(responses(at(low)), responses(at(high))),
      await level(responses(at(high)), responses(at(low))),
    ]).toEqual(["patch", "major"]);
    const without = thing({ a: number });
    expect([await level(asks(without), asks(at(high))), await level(asks(at(high)), asks(without))]).toEqual([
      "major",
      "minor",
    ]);
  });
  test.each([
    ["pattern", "^a", "^b"],
    ["format", "uuid", "date"],
    ["multipleOf", 2, 3],
  ])("%s has no order: another one breaks either side", async (keyword, one, other) => {
    const at = (value: unknown): Json => thing({ a: { ...text, [keyword]: value } });
    expect(await level(asks(at(one)), asks(at(other)))).toBe("major");
    expect(await level(responses(at(one)), responses(at(other)))).toBe("major");
    expect(await level(asks(thing({ a: text })), asks(at(other)))).toBe("major");
    expect(await level(asks(at(other)), asks(thing({ a: text })))).toBe("minor");
  });
  test("an exclusive bound is the same by OpenAPI 3.0's flag and by 3.1's number", async () => {
    const flag = thing({ a: { ...number, minimum: 1, exclusiveMinimum: true } });
    const own = thing({ a: { ...number, exclusiveMinimum: 1 } });
    const plain = thing({ a: { ...number, minimum: 1 } });
    expect(await level(asks(flag), asks(own))).toBe("patch");
    expect(await level(asks(plain), asks(own))).toBe("major");
    expect(await level(asks(flag), asks(plain))).toBe("minor");
    const flagAlone = thing({ a: { ...number, exclusiveMinimum: true } });
    expect(await level(asks(thing({ a: number })), asks(flagAlone))).toBe("patch");
  });
});
