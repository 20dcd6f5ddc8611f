import { describe, expect, test } from "vitest";
import { asks, bothWays, responses, thing, text, number, type Json } from "./specs.js";

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
  const change = (make: typeof asks, before: Json, after: Json) =>
    bothWays(make(thing({ a: before })), make(thing({ a: after })));
  test.each(Object.entries(loose))("%s", async (keyword, [low, high]) => {
    const at = (value: unknown): Json => ({ ...number, [keyword]: value });
    expect(await change(asks, at(low), at(high))).toEqual(["major", "minor"]);
    expect(await change(responses, at(low), at(high))).toEqual(["patch", "major"]);
    expect(await change(asks, number, at(high))).toEqual(["major", "minor"]);
  });
  test.each([
    ["pattern", "^a", "^b"],
    ["format", "uuid", "date"],
    ["multipleOf", 2, 3],
  ])("%s has no order: another one breaks either side", async (keyword, one, other) => {
    const at = (value: unknown): Json => ({ ...text, [keyword]: value });
    expect(await change(asks, at(one), at(other))).toEqual(["major", "major"]);
    expect(await change(responses, at(one), at(other))).toEqual(["major", "major"]);
    expect(await change(asks, text, at(other))).toEqual(["major", "minor"]);
  });
  test("an exclusive bound is the same by OpenAPI 3.0's flag and by 3.1's number", async () => {
    const flag = { ...number, minimum: 1, exclusiveMinimum: true };
    const own = { ...number, exclusiveMinimum: 1 };
    const plain = { ...number, minimum: 1 };
    expect(await change(asks, flag, own)).toEqual(["patch", "patch"]);
    expect(await change(asks, plain, own)).toEqual(["major", "minor"]);
    expect(await change(asks, flag, plain)).toEqual(["minor", "major"]);
    const flagAlone = { ...number, exclusiveMinimum: true };
    expect(await change(asks, number, flagAlone)).toEqual(["patch", "patch"]);
  });
});
