import { describe, expect, test } from "vitest";
import type { OpenApi } from "../../../scripts/spec/json.js";
import { compareSpecs } from "../../../scripts/verdict/verdict.js";
import { answers, asks, either, json, number, ok, query, ref, schemas, spec, takes, text, thing } from "./specs.js";
import type { Json } from "./specs.js";

const judged = async (from: OpenApi, to: OpenApi): Promise<string> => {
  const { verdict, changes } = await compareSpecs(from, to);
  return changes.some(({ review }) => review) ? `${verdict}, review` : verdict;
};
const at = (make: typeof asks, schema: Json, parts: Json = {}): OpenApi => make(schema, { openapi: "3.1.0", ...parts });
const list = { type: "array", items: text };
const integer = { type: "integer" };
const model = (enumOrObject: Json): Json => schemas({ M: enumOrObject });

describe("what a change of a schema is in a request, and in an answer", () => {
  test.each<[string, Json, Json, request: string, answer: string]>([
    ["not: false", text, { ...text, not: false }, "patch", "patch"],
    ["not: {}", text, { ...text, not: {} }, "major", "patch"],
    ["items: {}", { type: "array" }, { type: "array", items: {} }, "patch", "patch"],
    ["unevaluatedItems: true", list, { ...list, unevaluatedItems: true }, "patch", "patch"],
    ["unevaluatedProperties: true", thing({}), { ...thing({}), unevaluatedProperties: true }, "patch", "patch"],
    ["propertyNames: true", thing({}), { ...thing({}), propertyNames: true }, "patch", "patch"],
    ["minLength: 0", text, { ...text, minLength: 0 }, "patch", "patch"],
    ["format: password", text, { ...text, format: "password" }, "patch", "patch"],
    ["above 0, whole", { ...integer, exclusiveMinimum: 0 }, { ...integer, minimum: 1 }, "patch", "patch"],
    ["below 10, whole", { ...integer, exclusiveMaximum: 10 }, { ...integer, maximum: 9 }, "patch", "patch"],
    ["above 0, not whole", { ...number, exclusiveMinimum: 0 }, { ...number, minimum: 1 }, "major", "patch"],
    ["an enum of one, as const", either("x"), { ...text, const: "x" }, "patch", "patch"],
    ["order in not", { not: either("x", "y") }, { not: either("y", "x") }, "patch", "patch"],
    [
      "order in dependentRequired",
      { ...thing({}), dependentRequired: { a: ["b", "c"] } },
      { ...thing({}), dependentRequired: { a: ["c", "b"] } },
      "patch",
      "patch",
    ],
    [
      "words in patternProperties",
      { ...thing({}), patternProperties: { a: { ...text, title: "T" } } },
      { ...thing({}), patternProperties: { a: text } },
      "patch",
      "patch",
    ],
    ["true from a boolean", { type: "boolean" }, { type: "boolean", enum: [true] }, "major", "major"],
    ["a number of a list", { type: "array", items: number }, { type: "array", items: { enum: [1] } }, "major", "major"],
    ["a value beside any text", { anyOf: [text, either("x", "y")] }, { anyOf: [text, either("x")] }, "patch", "patch"],
    [
      "null within contains",
      { type: "array", contains: { anyOf: [text, { type: "null" }] } },
      { type: "array", contains: text },
      "major",
      "patch",
    ],
    [
      "anyOf to oneOf",
      { anyOf: [thing({ a: text }), thing({ b: text })] },
      { oneOf: [thing({ a: text }), thing({ b: text })] },
      "major, review",
      "patch, review",
    ],
    ["anyOf to oneOf, apart", { anyOf: [text, number] }, { oneOf: [text, number] }, "patch", "patch"],
    ["what no rule knows", { ...text, fancy: 1 }, { ...text, fancy: 2, title: "T" }, "patch, review", "patch, review"],
  ])("%s", async (_, from, to, request, answer) => {
    expect([await judged(at(asks, from), at(asks, to)), await judged(at(answers, from), at(answers, to))]).toEqual([
      request,
      answer,
    ]);
  });
});

describe("a model that the types of a call do not show", () => {
  const hiding: [string, Json][] = [
    ["anyOf with any value", { anyOf: [ref("M"), { nullable: true }] }],
    ["an open enum", { anyOf: [text, ref("M")] }],
  ];
  test.each(hiding)("%s", async (_, schema) => {
    for (const make of [asks, answers]) {
      const of = (values: string[]): OpenApi => make(thing({ a: schema }), model(either(...values)));
      expect([await judged(of(["x", "y"]), of(["x"])), await judged(of(["x"]), of(["x", "y"]))]).toEqual([
        "major",
        "minor",
      ]);
    }
  });
});

describe("what is beside schemas", () => {
  const scalar = query("q", { schema: either("x") });
  const called = (schema: Json, more: Json = {}): OpenApi =>
    spec(
      {},
      { ...more, callbacks: { done: { "{$url}": { post: { requestBody: json(schema), responses: { "200": ok } } } } } },
    );
  const form = (schema: Json, openapi: string): OpenApi =>
    spec({ openapi }, { requestBody: { content: { "multipart/form-data": { schema: thing({ f: schema }) } } } });
  test.each<[string, OpenApi, OpenApi, string]>([
    ["explode of a scalar", takes(scalar), takes({ ...scalar, explode: false }), "patch"],
    [
      "explode of a list",
      takes(query("q", { schema: list })),
      takes(query("q", { schema: list, explode: false })),
      "major",
    ],
    [
      "the default of what has to be sent",
      takes(query("q", { required: true, schema: { ...text, default: "a" } })),
      takes(query("q", { required: true, schema: text })),
      "patch",
    ],
    ["a callback and a word", called(text), called(number, { description: "D" }), "patch, review"],
    [
      "required beside a $ref, which OpenAPI 3.0 ignores",
      asks({ ...ref("M"), required: ["a"] }, model(thing({ a: text }))),
      asks(ref("M"), model(thing({ a: text }))),
      "patch, review",
    ],
    [
      "bytes of a form",
      form({ ...text, format: "binary" }, "3.0.3"),
      form({ ...text, contentMediaType: "application/octet-stream" }, "3.1.0"),
      "patch",
    ],
    [
      "bytes in base64",
      form({ ...text, format: "byte" }, "3.0.3"),
      form({ ...text, contentEncoding: "base64" }, "3.1.0"),
      "patch",
    ],
    [
      "an optional property of a model that only requests use",
      asks(ref("M"), model(thing({ a: text }, ["a"]))),
      asks(ref("M"), model(thing({ a: text }))),
      "minor",
    ],
  ])("%s", async (_, from, to, level) => {
    expect(await judged(from, to)).toBe(level);
  });

  test("a finding about `ids` stays beside one about `id`", async () => {
    const { changes } = await compareSpecs(asks(thing({ id: text })), asks(thing({ id: number }, ["ids"])));
    expect(changes.map(({ level, location }) => `${level} ${location}`)).toEqual([
      "major createThing request id",
      "major createThing request ids",
    ]);
  });
});
