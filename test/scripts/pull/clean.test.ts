import { describe, expect, test } from "vitest";
import { slice } from "../../../scripts/pull/slice.js";
import { checkSpec } from "../../../scripts/spec/check.js";
import { type Json, type OpenApi, getIn } from "../../../scripts/spec/json.js";
import { parseSpec } from "../../../scripts/spec/parse.js";
import { readCases } from "../../support/cases.js";

interface Case {
  openapi?: string;
  operation?: Json;
  schema?: Json;
  components?: Json;
  returns?: Json;
  "returns components"?: Json;
  notes?: string[];
  says?: string;
}

function described(openapi: string, paths: Json, components?: Json): OpenApi {
  const whole = { openapi, info: { title: "x", version: "1" }, paths, components };
  return parseSpec(JSON.stringify(whole, null, 1), "x");
}

/** The slice of the operation "a", which is sound. */
function sliced(spec: OpenApi, notes: string[] = []): OpenApi {
  const kept = slice(spec, ["a"], "x", (note) => notes.push(note));
  checkSpec(kept, "x");
  return kept;
}

test.each(readCases<Case>("sliced"))("%s", (_, { openapi = "3.1.0", notes = [], says, ...example }) => {
  const { schema, operation = { requestBody: { content: { "application/json": { schema } } } } } = example;
  const paths = {
    "/a": { get: { operationId: "a", responses: {}, ...operation } },
    "/b": { get: { responses: { "200": { description: "b" } } } },
  };
  const spec = described(openapi, paths, example.components);
  if (says !== undefined) return expect(() => sliced(spec)).toThrow(says);
  const noted: string[] = [];
  const kept = sliced(spec, noted);
  const { operationId, ...fields } = getIn(kept, ["paths", "/a", "get"]) as Json;
  expect(operationId).toBe("a");
  const given = schema ? getIn(fields, ["requestBody", "content", "application/json", "schema"]) : fields;
  if (example.returns) expect(given).toEqual(schema ? example.returns : { responses: {}, ...example.returns });
  if (example["returns components"]) expect(kept["components"]).toEqual(example["returns components"]);
  expect(noted).toEqual(notes.map((note) => expect.stringContaining(note) as string));
  for (const note of noted) expect(note).toMatch(/^x:\d+:\d+: #\//);
  expect(sliced(kept)).toEqual(kept);
});

describe("a method that openapi-fetch cannot call is refused:", () => {
  const operation = { operationId: "b", responses: {} };
  test.each<[string, Json]>([
    ["query", { query: operation }],
    ["COPY", { additionalOperations: { COPY: operation } }],
  ])("%s", (method, item) => {
    const spec = described("3.2.0", { "/a": item });
    const says = `#/paths/~1a/${method}: is neither a field of a path nor a method that openapi-fetch can call`;
    for (const name of ["b", `${method.toUpperCase()} /a`])
      expect(() => checkSpec(slice(spec, [name], "x"), "x")).toThrow(says);
    expect(() => checkSpec(spec, "x")).toThrow(/nor a method that openapi-fetch can call$/);
  });
});
