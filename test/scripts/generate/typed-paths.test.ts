import { readdirSync } from "node:fs";
import { basename } from "node:path";
import { describe, expect, test } from "vitest";
import { problemsIn } from "../../../scripts/generate/type-check.js";
import { typedPaths } from "../../../scripts/generate/typed-paths.js";
import type { Json } from "../../../scripts/spec/json.js";
import { readCases, readFixture } from "../../support/cases.js";

interface Case {
  openapi?: string;
  schemas: Json;
  parameters?: Json;
  paths?: Json;
  program: string;
}

/**
 * The errors of the compiler in a program of lines "type: value", each of which must compile, "type! value", which must be
 * refused, and "type? statement", which must compile with a value called `it`. A type is the name of a schema, or of one
 * of its properties.
 */
async function misjudged({ openapi = "3.1.0", paths = {}, program, ...components }: Case): Promise<string[]> {
  const types = await typedPaths({ openapi, info: { title: "x", version: "1" }, paths, components });
  const lines = program
    .trim()
    .split("\n")
    .map((line, index) => {
      const [, place = "", mark, value] = /^([\w.]+)([:!?]) (.*)$/.exec(line) ?? [];
      const type = place.split(".").reduce((whole, step) => `NonNullable<${whole}>["${step}"]`, "Schemas");
      if (mark === "?") return `export const v${index} = (it: ${type}) => { ${value} };`;
      return `${mark === "!" ? "// @ts-expect-error\n" : ""}export const v${index}: ${type} = ${value};`;
    });
  const head = 'import type { components, paths } from "./paths.js";\ntype Schemas = components["schemas"];';
  const text = [head, "export type Paths = paths;", ...lines].join("\n");
  const files = new Map([
    ["paths.ts", types],
    ["program.ts", text],
  ]);
  return problemsIn(files).map(({ path, line, message }) => {
    return `${path}: ${files.get(path)?.split("\n")[line - 1]}: ${message}`;
  });
}

const subjects = readdirSync(new URL("../../fixtures/types/", import.meta.url)).map((file) => basename(file, ".yaml"));

describe.each(subjects)("the types of %s.yaml", (subject) => {
  test.each(readCases<Case>(`types/${subject}`))("%s", async (_, example) => {
    expect(await misjudged(example)).toEqual([]);
  });
});

const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });

const printed = Object.entries(readFixture<Record<string, { schema: Json; is: string }>>("printed-types"));

test.each(printed)("the type of %s is short", async (_, { schema, is }) => {
  const components = { schemas: { R: { type: "object", properties: { r: { type: "string" } } }, S: schema } };
  const types = await typedPaths({ openapi: "3.1.0", info: { title: "x", version: "1" }, paths: {}, components });
  expect(/\n {8}S: ([^]*?);\n {4}\};\n/.exec(types)?.[1]?.replace(/\s+/g, " ")).toBe(is);
});

test("forty variants of each other each have their own discriminator", async () => {
  const names = Array.from({ length: 40 }, (_, index) => `D${index}`);
  const schemas = names.map((name, index) => {
    const allOf = names.slice(0, index).map(ref);
    return [name, { type: "object", discriminator: { propertyName: "k" }, ...(index > 0 && { allOf }) }] as const;
  });
  const program = `D39.k: "D39"\nD38.k: "D39"`;
  expect(await misjudged({ schemas: Object.fromEntries(schemas), program })).toEqual([]);
});

test.each([
  ["in a circle", ["A"]],
  ["in ever more ways", ["A", "B"]],
])("schemas that are composed of each other in very many ways are refused: %s", async (_, sides) => {
  const schemas = sides.flatMap((side) =>
    Array.from({ length: 60 }, (_, index) => {
      const next = sides.map((each) => ref(`${each}${(index + 1) % 60}`));
      return [`${side}${index}`, { allOf: [...next, { properties: { [`a${index}`]: { type: "string" } } }] }] as const;
    }),
  );
  await expect(misjudged({ schemas: Object.fromEntries(schemas), program: "A0: {}" })).rejects.toThrow(
    /^the schemas around "\w+" are composed of each other in too/,
  );
});
