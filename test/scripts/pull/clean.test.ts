import { describe, expect, test } from "vitest";
import { slice } from "../../../scripts/pull/slice.js";
import { checkSpec } from "../../../scripts/spec/check.js";
import { type Json, type OpenApi, getIn } from "../../../scripts/spec/json.js";
import { parseSpec } from "../../../scripts/spec/parse.js";

const text = { type: "string" };

/** A description with one operation, as pull leaves it, and what pull says of it. */
function cleaned(operation: Json, more: Json = {}, openapi = "3.1.0"): { spec: OpenApi; notes: string[] } {
  const paths = { "/a": { get: { operationId: "a", responses: {}, ...operation } } };
  const whole = parseSpec(
    JSON.stringify({ openapi, info: { title: "x", version: "1" }, paths, ...more }, null, 1),
    "x",
  );
  const notes: string[] = [];
  const spec = slice(whole, ["a"], "x", (note) => notes.push(note));
  checkSpec(spec, "x");
  return { spec, notes };
}

function operationOf(operation: Json, more?: Json, openapi?: string): unknown {
  const {
    operationId: _,
    responses: __,
    ...rest
  } = getIn(cleaned(operation, more, openapi).spec, ["paths", "/a", "get"]) as Json;
  return rest;
}

const body = (schema: unknown): Json => ({ requestBody: { content: { "application/json": { schema } } } });

test("fields that OpenAPI does not have are left out, and told", () => {
  const schema = {
    type: "object",
    maxLenght: 1,
    properties: { maxLenght: { ...text, "max-length": { $ref: "gone" } } },
  };
  const { spec, notes } = cleaned({ ...body(schema), maxLenght: 2, "x-foo": 1 });
  expect(getIn(spec, ["paths", "/a", "get"])).toEqual({
    operationId: "a",
    responses: {},
    ...body({ type: "object", properties: { maxLenght: text } }),
  });
  expect(notes).toEqual([
    expect.stringMatching(
      /^x:\d+:\d+: #\/paths\/~1a\/get\/requestBody\/.*\/schema\/maxLenght: left out, .* no such field \(and 1 more\)$/,
    ),
    expect.stringMatching(
      /\/properties\/maxLenght\/max-length: left out, since OpenAPI and JSON Schema have no such field$/,
    ),
  ]);
});

test("fields without a value are left out, but for samples", () => {
  const schema = { type: "string", description: null, maxLength: null, enum: null, default: null, example: null };
  expect(operationOf({ ...body(schema), tags: null, parameters: null })).toEqual(
    body({ type: "string", default: null, example: null }),
  );
});

test("an empty list is an empty object where one is wanted", () => {
  const schema = { type: "object", properties: [], allOf: [], items: { properties: { a: [] } } };
  expect(operationOf(body(schema))).toEqual(
    body({ type: "object", properties: {}, allOf: [], items: { properties: { a: {} } } }),
  );
});

test("what YAML takes for no text is text", () => {
  const servers = [{ url: "https://{a}", variables: { a: { default: 443, enum: [443, true] } } }];
  expect(operationOf({ tags: [1], summary: 2.5, servers, ...body({ type: ["string", null] }) })).toEqual({
    tags: ["1"],
    summary: "2.5",
    servers: [{ url: "https://{a}", variables: { a: { default: "443", enum: ["443", "true"] } } }],
    ...body({ type: ["string", "null"] }),
  });
});

describe("parameters", () => {
  const header = (name: string) => ({ name, in: "header", required: true, schema: text });

  test("that OpenAPI ignores are left out, also by reference and of a path", () => {
    const components = { parameters: { Auth: header("Authorization"), Kept: header("X-Kept") } };
    const refs = ["Auth", "Kept"].map((name) => ({ $ref: `#/components/parameters/${name}` }));
    const names = { name: "accept", in: "query", schema: text };
    expect(
      operationOf({ parameters: [header("accept"), header("Content-Type"), names, ...refs] }, { components }),
    ).toEqual({
      parameters: [names, refs[1]],
    });
    expect(operationOf({ parameters: [header("Accept")] }, {}, "3.0.3")).toEqual({});
    const { spec } = cleaned({
      responses: { "200": { description: "ok", headers: { "content-type": { schema: text }, a: { schema: text } } } },
    });
    expect(getIn(spec, ["paths", "/a", "get", "responses", "200", "headers"])).toEqual({ a: { schema: text } });
  });

  test("that are the whole query string are its properties", () => {
    const schema = { type: "object", required: ["q"], properties: { q: text, n: { type: "integer" } } };
    const content = { "application/x-www-form-urlencoded": { schema: { $ref: "#/components/schemas/Query" } } };
    const more = { components: { schemas: { Query: schema } } };
    const whole = { name: "all", in: "querystring", content };
    const query = (required: boolean) => [
      { name: "q", in: "query", required, schema: text },
      { name: "n", in: "query", required: false, schema: { type: "integer" } },
    ];
    expect(operationOf({ parameters: [{ ...whole, required: true }] }, more, "3.2.0")).toEqual({
      parameters: query(true),
    });
    expect(operationOf({ parameters: [whole] }, more, "3.2.0")).toEqual({ parameters: query(false) });
  });

  test.each<[string, Json]>([
    ["JSON", { "application/json": { schema: { type: "object", properties: { a: text } } } }],
    ["a choice", { "application/x-www-form-urlencoded": { schema: { oneOf: [{ properties: { a: text } }, text] } } }],
    ["a map", { "application/x-www-form-urlencoded": { schema: { type: "object", additionalProperties: text } } }],
  ])("that are a query string of something else are refused: %s", (_, content) => {
    expect(() => operationOf({ parameters: [{ name: "all", in: "querystring", content }] }, {}, "3.2.0")).toThrow(
      /#\/paths\/~1a\/get\/parameters\/0: openapi-fetch takes no "in: querystring"/,
    );
  });
});

test("a media type by reference is written out", () => {
  const components = { mediaTypes: { Json: { schema: { $ref: "#/components/schemas/A" } } }, schemas: { A: text } };
  const requestBody = { content: { "application/json": { $ref: "#/components/mediaTypes/Json" } } };
  const { spec } = cleaned({ requestBody }, { components }, "3.2.0");
  expect(getIn(spec, ["paths", "/a", "get", "requestBody", "content", "application/json"])).toEqual({
    schema: { $ref: "#/components/schemas/A" },
  });
  expect(spec["components"]).toEqual({ schemas: { A: text } });
});

describe("a reference", () => {
  const tree = (more: Json): Json => ({ type: "object", properties: { next: more } });
  test.each<[string, Json, Json]>([
    ["to an anchor", tree({ $ref: "#leaf" }), { Leaf: { $anchor: "leaf", ...text } }],
    ["to a dynamic anchor", tree({ $dynamicRef: "#leaf" }), { Leaf: { $dynamicAnchor: "leaf", ...text } }],
  ])("%s is one to the schema", (_, Tree, more) => {
    const { spec } = cleaned(body({ $ref: "#/components/schemas/Tree" }), {
      components: { schemas: { Tree, ...more } },
    });
    expect(getIn(spec, ["components", "schemas", "Tree"])).toEqual(tree({ $ref: "#/components/schemas/Leaf" }));
  });

  test("that recurs is one to the component", () => {
    const Tree = { $recursiveAnchor: true, ...tree({ oneOf: [text, { $recursiveRef: "#" }] }) };
    const { spec } = cleaned(body({ $ref: "#/components/schemas/Tree" }), { components: { schemas: { Tree } } });
    expect(getIn(spec, ["components", "schemas", "Tree", "properties", "next", "oneOf", 1])).toEqual({
      $ref: "#/components/schemas/Tree",
    });
  });

  test.each<[string, Json, RegExp]>([
    ["to no anchor", { $ref: "#gone" }, /"#gone" must start with "#\/": no schema, or not one alone, has this name$/],
    ["to one of two", { allOf: [{ $anchor: "a" }, { $anchor: "a" }, { $ref: "#a" }] }, /"#a" must start with "#\/"/],
    ["to the document", { $ref: "#" }, /"#" must start with "#\/"/],
    [
      "to another document",
      { $ref: "a.yaml#/b" },
      /must start with "#\/", since no other .*`npx @redocly\/cli bundle`/,
    ],
  ])("%s is refused", (_, schema, says) => {
    expect(() => cleaned(body(schema))).toThrow(says);
  });
});

describe("a method that openapi-fetch cannot call is refused:", () => {
  const operation = { operationId: "b", responses: {} };
  test.each<[string, Json]>([
    ["query", { query: operation }],
    ["COPY", { additionalOperations: { COPY: operation } }],
  ])("%s", (method, item) => {
    const whole = { openapi: "3.2.0", info: { title: "x", version: "1" }, paths: { "/a": item } };
    const spec = parseSpec(JSON.stringify(whole), "x");
    for (const name of ["b", `${method.toUpperCase()} /a`])
      expect(() => checkSpec(slice(spec, [name], "x"), "x")).toThrow(
        new RegExp(`#/paths/~1a/${method}: is no field of a path, and no method that openapi-fetch can call$`),
      );
    expect(() => checkSpec(spec, "x")).toThrow(/no method that openapi-fetch can call$/);
  });
});
