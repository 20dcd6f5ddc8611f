import { describe, expect, test, vi } from "vitest";
import { UserError } from "../../../scripts/command.js";
import { compareTypes } from "../../../scripts/verdict/calls.js";
import { typesOf } from "../../../scripts/verdict/program.js";
import { compareSpecs } from "../../../scripts/verdict/verdict.js";
import { asks, thing, text, schemas, ref, type Json } from "./specs.js";

describe("types that do not compile never read as none", () => {
  const types = (thingType: string): string =>
    `export interface paths {} export interface components { schemas: { Thing: ${thingType} } }`;
  test.each([
    [
      "a module that does not resolve",
      `import("./gone.js").Thing`,
      /Cannot find module '\.\/gone\.js'.*line 1.*new spec/,
    ],
    ["a name that is not there", "Gone", /Cannot find name 'Gone'/],
    ["a syntax error", "{", /expected/],
    ["any, which fits everything", "any", /one of them is any/],
  ])("%s", (_, type, sentence) => {
    const compare = (): unknown => compareTypes(types("string"), types(type), [], ["Thing"]);
    expect(compare).toThrow(UserError);
    expect(compare).toThrow(sentence);
  });
  test("the same types without the plant", () => {
    expect(compareTypes(types("string"), types("string"), [], ["Thing"])).toEqual([]);
  });
  test("a description that openapi-typescript does not take", async () => {
    // It prints the problem, too.
    vi.spyOn(console, "error").mockReturnValue();
    await expect(
      typesOf({ openapi: "3.0.3", paths: { "/a": { get: { $ref: "#/gone" } } } }, "the new spec"),
    ).rejects.toThrow(/^the new spec gives no types: /);
  });
  test.each<[string, Json]>([
    ["a schema that is only itself", ref("A")],
    ["a list of itself", { type: "array", items: ref("A") }],
  ])("%s", async (_, itself) => {
    const from = asks(ref("A"), schemas({ A: thing({ a: text }) }));
    const to = asks(ref("A"), schemas({ A: itself }));
    await expect(compareSpecs(from, to)).rejects.toThrow(UserError);
  });
});
