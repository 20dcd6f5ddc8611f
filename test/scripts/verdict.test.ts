import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { UserError } from "../../scripts/command.js";
import { readSpec } from "../../scripts/spec/check.js";
import type { OpenApi } from "../../scripts/spec/json.js";
import { compareTypes } from "../../scripts/verdict/calls.js";
import { typesOf } from "../../scripts/verdict/program.js";
import { verdictMarkdown, verdictText } from "../../scripts/verdict/report.js";
import { compareSpecs } from "../../scripts/verdict/verdict.js";

type Json = Record<string, unknown>;

/** A description with one operation; the parts given replace the defaults. */
function spec(parts: Json = {}, operation: Json = {}): OpenApi {
  return {
    openapi: "3.0.3",
    info: { title: "Things", version: "1" },
    servers: [
      { url: "https://sandbox.example.com", "x-environment": "sandbox" },
      { url: "https://example.com", "x-environment": "production" },
    ],
    paths: { "/things": { post: { operationId: "createThing", responses: { "204": ok }, ...operation } } },
    ...parts,
  };
}
const ok = { description: "Done" };
const json = (schema: Json): Json => ({ content: { "application/json": { schema } } });
const asks = (schema: Json, parts?: Json): OpenApi => spec(parts, { requestBody: { required: true, ...json(schema) } });
const answers = (schema: Json, parts?: Json): OpenApi =>
  spec(parts, { responses: { "200": { ...ok, ...json(schema) } } });
const takes = (...parameters: Json[]): OpenApi => spec({}, { parameters });
const query = (name: string, more: Json = {}): Json => ({
  in: "query",
  name,
  schema: { type: "string" },
  ...more,
});
const thing = (properties: Json, required?: string[]): Json => ({
  type: "object",
  properties,
  ...(required && { required }),
});
const text = { type: "string" };
const number = { type: "number" };
const either = (...values: unknown[]): Json => ({ type: "string", enum: values });
const schemas = (all: Json): Json => ({ components: { schemas: all } });
const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });
const secured = (schemes: Json, security: Json[]): OpenApi =>
  spec({ components: { securitySchemes: schemes } }, { security });
const bearer = { type: "http", scheme: "bearer" };
const flow = (tokenUrl: string, scopes: Json): Json => ({
  oauth2: { type: "oauth2", flows: { clientCredentials: { tokenUrl, scopes } } },
});

/** The changes, one a line; the verdict itself must be the first one's level. */
async function lines(from: OpenApi, to: OpenApi): Promise<string[]> {
  const { verdict, changes } = await compareSpecs(from, to);
  expect(verdict).toBe(changes[0]?.level ?? "none");
  return changes.map(
    ({ level, location, message, review }) => `${level} | ${location} | ${message}${review ? " | review" : ""}`,
  );
}

/** A name, two descriptions, what the way there changes, and what the way back. */
const rows: [string, OpenApi, OpenApi, string[], string[]][] = [
  [
    "optional property in the request",
    asks(thing({ a: text })),
    asks(thing({ a: text, b: text })),
    ["minor | createThing request b | property `b` added to the request, optional"],
    ["major | createThing request b | property `b` removed from the request"],
  ],
  [
    "required property in the request",
    asks(thing({ a: text })),
    asks(thing({ a: text, b: text }, ["b"])),
    ["major | createThing request b | property `b` added to the request, required"],
    ["major | createThing request b | property `b` removed from the request"],
  ],
  [
    "required-ness in the request",
    asks(thing({ a: text })),
    asks(thing({ a: text }, ["a"])),
    ["major | createThing request a | property `a` became required in the request"],
    ["minor | createThing request a | property `a` became optional in the request"],
  ],
  [
    "optional property in the answer",
    answers(thing({ a: text })),
    answers(thing({ a: text, b: text })),
    ["minor | createThing 200 answer b | property `b` added to the 200 answer, optional"],
    ["major | createThing 200 answer b | property `b` removed from the 200 answer"],
  ],
  [
    "required-ness in the answer",
    answers(thing({ a: text })),
    answers(thing({ a: text }, ["a"])),
    ["minor | createThing 200 answer a | property `a` became required in the 200 answer"],
    ["major | createThing 200 answer a | property `a` became optional in the 200 answer"],
  ],
  [
    "value in the request",
    asks(thing({ a: either("x") })),
    asks(thing({ a: either("x", "y") })),
    ["minor | createThing request a | value `y` added to the request"],
    ["major | createThing request a | value `y` removed from the request"],
  ],
  [
    "value in a list",
    asks(thing({ scopes: { type: "array", items: either("x") } })),
    asks(thing({ scopes: { type: "array", items: either("x", "y") } })),
    ["minor | createThing request scopes[] | scope `y` added to the request"],
    ["major | createThing request scopes[] | scope `y` removed from the request"],
  ],
  [
    "the same in two properties",
    asks(
      thing({ a: text, b: text, c: { type: "array", items: either("x") }, d: { type: "array", items: either("x") } }),
    ),
    asks(
      thing({
        a: number,
        b: number,
        c: { type: "array", items: either("x", "y") },
        d: { type: "array", items: either("x", "y") },
      }),
    ),
    [
      "major | createThing request a | type changed from `string` to `number` in the request",
      "major | createThing request b | type changed from `string` to `number` in the request",
      "minor | createThing request c[] | value `y` added to the request",
      "minor | createThing request d[] | value `y` added to the request",
    ],
    [
      "major | createThing request a | type changed from `number` to `string` in the request",
      "major | createThing request b | type changed from `number` to `string` in the request",
      "major | createThing request c[] | value `y` removed from the request",
      "major | createThing request d[] | value `y` removed from the request",
    ],
  ],
  [
    "value whose constant is called another name then",
    asks(thing({ a: either("x:y") })),
    asks(thing({ a: either("x_y", "x:y") })),
    [
      "major | createThing request a | the constant for `x:y` is called `XY2`, not `XY`",
      "minor | createThing request a | value `x_y` added to the request",
    ],
    [
      "major | createThing request a | value `x_y` removed from the request",
      "major | createThing request a | the constant for `x:y` is called `XY`, not `XY2`",
    ],
  ],
  [
    "value in the answer",
    answers(thing({ a: either("x") })),
    answers(thing({ a: either("x", "y") })),
    ["major | createThing 200 answer a | value `y` added to the 200 answer, where no code foresees it"],
    [
      "major | createThing 200 answer a | value `y` removed from the 200 answer, so code that names it no longer compiles",
    ],
  ],
  [
    "values become open, request",
    asks(thing({ a: either("x") })),
    asks(thing({ a: text })),
    ['minor | createThing request a | type changed from `"x"` to `string` in the request'],
    ['major | createThing request a | type changed from `string` to `"x"` in the request'],
  ],
  [
    "values become open, answer",
    answers(thing({ a: either("x") })),
    answers(thing({ a: text })),
    ['major | createThing 200 answer a | type changed from `"x"` to `string` in the 200 answer'],
    ['minor | createThing 200 answer a | type changed from `string` to `"x"` in the 200 answer'],
  ],
  [
    "type in the request",
    asks(thing({ a: text })),
    asks(thing({ a: number })),
    ["major | createThing request a | type changed from `string` to `number` in the request"],
    ["major | createThing request a | type changed from `number` to `string` in the request"],
  ],
  [
    "type in the answer",
    answers(thing({ a: text })),
    answers(thing({ a: number })),
    ["major | createThing 200 answer a | type changed from `string` to `number` in the 200 answer"],
    ["major | createThing 200 answer a | type changed from `number` to `string` in the 200 answer"],
  ],
  [
    "integer request",
    asks(thing({ a: { type: "integer" } })),
    asks(thing({ a: number })),
    ["minor | createThing request a | `type` loosened from `integer` to `number` in the request"],
    ["major | createThing request a | `type` tightened from `number` to `integer` in the request"],
  ],
  [
    "integer answer",
    answers(thing({ a: { type: "integer" } })),
    answers(thing({ a: number })),
    ["major | createThing 200 answer a | `type` loosened from `integer` to `number` in the 200 answer"],
    ["patch | createThing 200 answer a | `type` tightened from `number` to `integer` in the 200 answer"],
  ],
  [
    "object to list",
    answers(thing({ a: thing({ b: text }) })),
    answers(thing({ a: { type: "array", items: thing({ b: text }) } })),
    [
      "major | createThing 200 answer a | type changed from `{ b?: string | undefined; }` to `{ b?: string | undefined; }[]` in the 200 answer",
    ],
    [
      "major | createThing 200 answer a | type changed from `{ b?: string | undefined; }[]` to `{ b?: string | undefined; }` in the 200 answer",
    ],
  ],
  [
    "nullable request",
    asks(thing({ a: text })),
    asks(thing({ a: { ...text, nullable: true } })),
    ["minor | createThing request a | `null` added to the request"],
    ["major | createThing request a | `null` removed from the request"],
  ],
  [
    "nullable answer",
    answers(thing({ a: text })),
    answers(thing({ a: { ...text, nullable: true } })),
    ["major | createThing 200 answer a | `null` added to the 200 answer, where no code foresees it"],
    ["minor | createThing 200 answer a | `null` removed from the 200 answer"],
  ],
  [
    "map",
    answers(thing({ a: text })),
    answers({ ...thing({ a: text }), additionalProperties: text }),
    ["minor | createThing 200 answer * | further properties added to the 200 answer"],
    ["major | createThing 200 answer * | further properties removed from the 200 answer"],
  ],
  [
    "map values",
    answers({ type: "object", additionalProperties: thing({ a: text }) }),
    answers({ type: "object", additionalProperties: thing({ a: text, b: text }) }),
    ["minor | createThing 200 answer *.b | property `b` added to the 200 answer, optional"],
    ["major | createThing 200 answer *.b | property `b` removed from the 200 answer"],
  ],
  [
    "closed request",
    asks(thing({ a: text })),
    asks({ ...thing({ a: text }), additionalProperties: false }),
    ["major | createThing request | `additionalProperties: false` added to the request"],
    ["minor | createThing request | `additionalProperties: false` removed from the request"],
  ],
  [
    "closed answer",
    answers(thing({ a: text })),
    answers({ ...thing({ a: text }), additionalProperties: false }),
    ["patch | createThing 200 answer | `additionalProperties: false` added to the 200 answer"],
    ["minor | createThing 200 answer | `additionalProperties: false` removed from the 200 answer"],
  ],
  [
    "empty object",
    asks({ type: "object" }),
    asks(thing({ a: text })),
    [
      "major | createThing request * | further properties removed from the request",
      "minor | createThing request a | property `a` added to the request, optional",
    ],
    [
      "major | createThing request a | property `a` removed from the request",
      "minor | createThing request * | further properties added to the request",
    ],
  ],
  [
    "oneOf member request",
    asks({ oneOf: [ref("Cat")] }, schemas({ Cat: thing({ a: text }, ["a"]) })),
    asks(
      { oneOf: [ref("Cat"), ref("Dog")] },
      schemas({ Cat: thing({ a: text }, ["a"]), Dog: thing({ b: text }, ["b"]) }),
    ),
    ["minor | createThing request | `Dog` added to the request", "minor | Dog | schema added, and its type"],
    ["major | createThing request | `Dog` removed from the request", "major | Dog | schema removed, and its type"],
  ],
  [
    "oneOf member answer",
    answers(
      { oneOf: [ref("Cat"), ref("Bird")] },
      schemas({ Cat: thing({ a: text }, ["a"]), Bird: thing({ c: text }, ["c"]) }),
    ),
    answers(
      { oneOf: [ref("Cat"), ref("Bird"), ref("Dog")] },
      schemas({ Cat: thing({ a: text }, ["a"]), Bird: thing({ c: text }, ["c"]), Dog: thing({ b: text }, ["b"]) }),
    ),
    ["major | createThing 200 answer | `Dog` added to the 200 answer", "minor | Dog | schema added, and its type"],
    [
      "major | createThing 200 answer | `Dog` removed from the 200 answer",
      "major | Dog | schema removed, and its type",
    ],
  ],
  [
    "inside oneOf",
    answers(
      { oneOf: [ref("Cat"), ref("Bird")] },
      schemas({ Cat: thing({ a: text }, ["a"]), Bird: thing({ c: text }, ["c"]) }),
    ),
    answers(
      { oneOf: [ref("Cat"), ref("Bird")] },
      schemas({ Cat: thing({ a: text, x: text }, ["a"]), Bird: thing({ c: { ...text, maxLength: 3 } }, ["c"]) }),
    ),
    [
      "minor | createThing 200 answer (Cat).x | property `x` added to the 200 answer, optional",
      "patch | createThing 200 answer (Bird).c | `maxLength: 3` added to the 200 answer",
    ],
    [
      "major | createThing 200 answer (Cat).x | property `x` removed from the 200 answer",
      "major | createThing 200 answer (Bird).c | `maxLength: 3` removed from the 200 answer",
      "major | Bird c | the constant `Bird…Constraints.c` is no longer generated",
    ],
  ],
  [
    "allOf refactor",
    answers(thing({ a: text, b: text }, ["a"])),
    answers({ allOf: [thing({ a: text }, ["a"]), thing({ b: text })] }),
    ["patch | createThing 200 answer | put in other words in the 200 answer, with the same types"],
    ["patch | createThing 200 answer | put in other words in the 200 answer, with the same types"],
  ],
  [
    "extract a component",
    asks(thing({ a: { ...text, minLength: 1 } })),
    asks(ref("Thing"), schemas({ Thing: thing({ a: { ...text, minLength: 2 } }) })),
    [
      "major | createThing request a | `minLength` tightened from `1` to `2` in the request",
      "minor | Thing | schema added, and its type",
      "patch | createThing request | put in other words in the request, with the same types",
    ],
    [
      "major | Thing | schema removed, and its type",
      "minor | createThing request a | `minLength` loosened from `2` to `1` in the request",
      "patch | createThing request | put in other words in the request, with the same types",
    ],
  ],
  [
    "recursion",
    answers(ref("Node"), schemas({ Node: thing({ children: { type: "array", items: ref("Node") } }) })),
    answers(
      ref("Node"),
      schemas({ Node: thing({ children: { type: "array", items: ref("Node") }, name: { ...text, maxLength: 4 } }) }),
    ),
    ["minor | createThing 200 answer name | property `name` added to the 200 answer, optional"],
    ["major | createThing 200 answer name | property `name` removed from the 200 answer"],
  ],
  [
    "discriminator",
    answers(
      { oneOf: [ref("Cat"), ref("Dog")], discriminator: { propertyName: "kind" } },
      schemas({ Cat: thing({ kind: text, a: text }, ["kind"]), Dog: thing({ kind: text, b: text }, ["kind"]) }),
    ),
    answers(
      {
        oneOf: [ref("Cat"), ref("Dog")],
        discriminator: {
          propertyName: "kind",
          mapping: { cat: "#/components/schemas/Cat", dog: "#/components/schemas/Dog" },
        },
      },
      schemas({
        Cat: thing({ kind: text, a: text }, ["kind"]),
        Dog: thing({ kind: text, b: text, c: text }, ["kind"]),
      }),
    ),
    [
      "major | createThing 200 answer (Cat).kind | value `Cat` removed from the 200 answer, so code that names it no longer compiles",
      "major | createThing 200 answer (Cat).kind | value `cat` added to the 200 answer, where no code foresees it",
      "major | createThing 200 answer (Dog).kind | value `Dog` removed from the 200 answer, so code that names it no longer compiles",
      "major | createThing 200 answer (Dog).kind | value `dog` added to the 200 answer, where no code foresees it",
      "minor | createThing 200 answer (Dog).c | property `c` added to the 200 answer, optional",
    ],
    [
      "major | createThing 200 answer (Cat).kind | value `cat` removed from the 200 answer, so code that names it no longer compiles",
      "major | createThing 200 answer (Cat).kind | value `Cat` added to the 200 answer, where no code foresees it",
      "major | createThing 200 answer (Dog).kind | value `dog` removed from the 200 answer, so code that names it no longer compiles",
      "major | createThing 200 answer (Dog).kind | value `Dog` added to the 200 answer, where no code foresees it",
      "major | createThing 200 answer (Dog).c | property `c` removed from the 200 answer",
    ],
  ],
  [
    "uniqueItems",
    asks({ type: "array", items: text }),
    asks({ type: "array", items: text, uniqueItems: true }),
    ["major | createThing request | `uniqueItems: true` added to the request"],
    ["minor | createThing request | `uniqueItems: true` removed from the request"],
  ],
  [
    "status",
    answers(thing({ a: text })),
    spec(
      {},
      { responses: { "200": { ...ok, ...json(thing({ a: text })) }, "401": { ...ok, ...json(thing({ a: text })) } } },
    ),
    ["minor | createThing 401 answer | added: the 401 answer"],
    ["major | createThing 401 answer | removed: the 401 answer, so code that names it no longer compiles"],
  ],
  [
    "success status, other body",
    answers(thing({ a: text }, ["a"])),
    spec(
      {},
      {
        responses: {
          "200": { ...ok, ...json(thing({ a: text }, ["a"])) },
          "202": { ...ok, ...json(thing({ b: text }, ["b"])) },
        },
      },
    ),
    ["major | createThing 202 answer | added: the 202 answer, a success with another body"],
    ["major | createThing 202 answer | removed: the 202 answer, so code that names it no longer compiles"],
  ],
  [
    "success status, same body",
    answers(thing({ a: text })),
    spec(
      {},
      { responses: { "200": { ...ok, ...json(thing({ a: text })) }, "201": { ...ok, ...json(thing({ a: text })) } } },
    ),
    ["minor | createThing 201 answer | added: the 201 answer"],
    ["major | createThing 201 answer | removed: the 201 answer, so code that names it no longer compiles"],
  ],
  [
    "success moved",
    answers(thing({ a: text })),
    spec({}, { responses: { "201": { ...ok, ...json(thing({ a: text })) } } }),
    [
      "major | createThing 200 answer | removed: the 200 answer, so code that names it no longer compiles",
      "minor | createThing 201 answer | added: the 201 answer",
    ],
    [
      "major | createThing 201 answer | removed: the 201 answer, so code that names it no longer compiles",
      "minor | createThing 200 answer | added: the 200 answer",
    ],
  ],
  [
    "only success removed",
    answers(thing({ a: text })),
    spec({}, { responses: { "401": ok } }),
    [
      "major | createThing 200 answer | removed: the 200 answer, the only success",
      "minor | createThing 401 answer | added: the 401 answer",
    ],
    [
      "major | createThing 401 answer | removed: the 401 answer, so code that names it no longer compiles",
      "minor | createThing 200 answer | added: the 200 answer",
    ],
  ],
  [
    "shared error schema",
    spec(schemas({ E: thing({ a: text }) }), {
      responses: Object.fromEntries(["401", "403", "422"].map((s) => [s, { ...ok, ...json(ref("E")) }])),
    }),
    spec(schemas({ E: thing({ a: text, b: text }) }), {
      responses: Object.fromEntries(["401", "403", "422"].map((s) => [s, { ...ok, ...json(ref("E")) }])),
    }),
    ["minor | createThing 401, 403 and 422 answers b | property `b` added to the 401, 403 and 422 answers, optional"],
    ["major | createThing 401, 403 and 422 answers b | property `b` removed from the 401, 403 and 422 answers"],
  ],
  [
    "header",
    spec({}, { responses: { "200": ok } }),
    spec({}, { responses: { "200": { ...ok, headers: { "X-Rate": { schema: text } } } } }),
    ["minor | createThing 200 answer header X-Rate | header `X-Rate` added to the 200 answer, optional"],
    ["major | createThing 200 answer header X-Rate | header `X-Rate` removed from the 200 answer"],
  ],
  [
    "optional parameter",
    takes(),
    takes(query("page")),
    ["minor | createThing request query parameter page | query parameter `page` added to the request, optional"],
    ["major | createThing request query parameter page | query parameter `page` removed from the request"],
  ],
  [
    "required parameter",
    takes(),
    takes(query("page", { required: true })),
    ["major | createThing request query parameter page | query parameter `page` added to the request, required"],
    ["major | createThing request query parameter page | query parameter `page` removed from the request"],
  ],
  [
    "parameter requiredness",
    takes(query("page")),
    takes(query("page", { required: true })),
    ["major | createThing request query parameter page | query parameter `page` became required in the request"],
    ["minor | createThing request query parameter page | query parameter `page` became optional in the request"],
  ],
  [
    "parameter schema",
    takes(query("page", { schema: { type: "integer", minimum: 0 } })),
    takes(query("page", { schema: { type: "integer", minimum: 1 } })),
    ["major | createThing request query parameter page | `minimum` tightened from `0` to `1` in the request"],
    ["minor | createThing request query parameter page | `minimum` loosened from `1` to `0` in the request"],
  ],
  [
    "parameter style",
    takes(query("page")),
    takes(query("page", { style: "form", explode: false })),
    [
      "major | createThing request query parameter page | written as `form, no explode` instead of `form, explode` in the request",
    ],
    [
      "major | createThing request query parameter page | written as `form, explode` instead of `form, no explode` in the request",
    ],
  ],
  [
    "body",
    spec(),
    asks(text),
    ["major | createThing request | a request body was added, required"],
    ["major | createThing request | the request body was removed"],
  ],
  [
    "body required",
    spec({}, { requestBody: json(text) }),
    asks(text),
    ["major | createThing request | the request body became required"],
    ["minor | createThing request | the request body became optional"],
  ],
  [
    "content type",
    asks(text),
    spec(
      {},
      {
        requestBody: {
          required: true,
          content: { "application/json": { schema: text }, "application/x-www-form-urlencoded": { schema: text } },
        },
      },
    ),
    ["minor | createThing request | content type `application/x-www-form-urlencoded` added to the request"],
    ["major | createThing request | content type `application/x-www-form-urlencoded` removed from the request"],
  ],
  [
    "operation",
    spec(),
    spec({
      paths: {
        ...(spec()["paths"] as object),
        "/others": { get: { operationId: "listOthers", responses: { "204": ok } } },
      },
    }),
    ["minor | listOthers | operation added: `GET /others`"],
    ["major | listOthers | operation removed: `GET /others`"],
  ],
  [
    "operation renamed",
    spec(),
    spec({}, { operationId: "makeThing" }),
    ["major | createThing | operation renamed to `makeThing`: `POST /things`"],
    ["major | makeThing | operation renamed to `createThing`: `POST /things`"],
  ],
  [
    "operation moved",
    spec(),
    spec({ paths: { "/stuff": { post: { operationId: "createThing", responses: { "204": ok } } } } }),
    ["major | createThing | operation moved from `POST /things` to `POST /stuff`"],
    ["major | createThing | operation moved from `POST /stuff` to `POST /things`"],
  ],
  [
    "server removed",
    spec(),
    spec({ servers: [{ url: "https://example.com", "x-environment": "production" }] }),
    ["major | servers | environment `sandbox` removed: `https://sandbox.example.com`"],
    ["minor | servers | environment `sandbox` added: `https://sandbox.example.com`"],
  ],
  [
    "server moved",
    spec(),
    spec({
      servers: [
        { url: "https://sandbox.example.org", "x-environment": "sandbox" },
        { url: "https://example.com", "x-environment": "production" },
      ],
    }),
    [
      "major | servers | environment `sandbox` moved from `https://sandbox.example.com` to `https://sandbox.example.org`",
    ],
    [
      "major | servers | environment `sandbox` moved from `https://sandbox.example.org` to `https://sandbox.example.com`",
    ],
  ],
  [
    "servers reordered",
    spec(),
    spec({
      servers: [
        { url: "https://example.com", "x-environment": "production" },
        { url: "https://sandbox.example.com", "x-environment": "sandbox" },
      ],
    }),
    ["patch | servers | servers reordered"],
    ["patch | servers | servers reordered"],
  ],
  [
    "environment renamed",
    spec(),
    spec({
      servers: [
        { url: "https://sandbox.example.com", "x-environment": "test" },
        { url: "https://example.com", "x-environment": "production" },
      ],
    }),
    ["major | servers | environment `sandbox` renamed to `test`"],
    ["major | servers | environment `test` renamed to `sandbox`"],
  ],
  [
    "server description",
    spec(),
    spec({
      servers: [
        { url: "https://sandbox.example.com/", "x-environment": "sandbox", description: "x" },
        { url: "https://example.com", "x-environment": "production" },
      ],
    }),
    ["patch | servers https://sandbox.example.com | `description` added"],
    ["patch | servers https://sandbox.example.com | `description` removed"],
  ],
  [
    "security requirement",
    secured({ b: bearer }, [{ b: [] }]),
    secured({ b: bearer }, []),
    ["major | createThing | security requirement changed from `b` to `nothing` | review"],
    ["major | createThing | security requirement changed from `nothing` to `b` | review"],
  ],
  [
    "security scheme",
    secured({ b: bearer }, [{ b: [] }]),
    secured({ b: { type: "http", scheme: "basic" } }, [{ b: [] }]),
    ["major | securitySchemes b | `scheme` changed from `bearer` to `basic` | review"],
    ["major | securitySchemes b | `scheme` changed from `basic` to `bearer` | review"],
  ],
  [
    "security scheme added",
    secured({ b: bearer }, [{ b: [] }]),
    secured({ b: bearer, ...flow("https://a.example", {}) }, [{ b: [] }]),
    ["minor | securitySchemes oauth2 | security scheme added | review"],
    ["major | securitySchemes oauth2 | security scheme removed | review"],
  ],
  [
    "tokenUrl",
    secured(flow("https://a.example", { x: "x" }), [{ oauth2: ["x"] }]),
    secured(flow("https://b.example", { x: "x" }), [{ oauth2: ["x"] }]),
    [
      "patch | securitySchemes oauth2 clientCredentials | `tokenUrl` changed from `https://a.example` to `https://b.example`, never used | review",
    ],
    [
      "patch | securitySchemes oauth2 clientCredentials | `tokenUrl` changed from `https://b.example` to `https://a.example`, never used | review",
    ],
  ],
  [
    "flow scopes",
    secured(flow("https://a.example", { x: "x" }), [{ oauth2: ["x"] }]),
    secured(flow("https://a.example", { x: "x", y: "y" }), [{ oauth2: ["x"] }]),
    ["patch | securitySchemes oauth2 clientCredentials | `y` added to the list of scopes | review"],
    ["patch | securitySchemes oauth2 clientCredentials | `y` removed from the list of scopes | review"],
  ],
  [
    "texts",
    spec(),
    spec({ tags: [{ name: "T" }] }, { summary: "S", description: "D", deprecated: true }),
    [
      "patch | createThing | `summary` added",
      "patch | createThing | `description` added",
      "patch | createThing | `deprecated` added",
      "patch | top level | `tags` added",
    ],
    [
      "patch | createThing | `summary` removed",
      "patch | createThing | `description` removed",
      "patch | createThing | `deprecated` removed",
      "patch | top level | `tags` removed",
    ],
  ],
  [
    "text of a schema",
    answers(thing({ a: text })),
    answers(thing({ a: { ...text, description: "d", example: "e" } })),
    ["patch | createThing 200 answer a | `description` added", "patch | createThing 200 answer a | `example` added"],
    [
      "patch | createThing 200 answer a | `description` removed",
      "patch | createThing 200 answer a | `example` removed",
    ],
  ],
  [
    "order of values",
    asks(either("x", "y")),
    asks(either("y", "x")),
    ["patch | createThing request | values reordered in the request"],
    ["patch | createThing request | values reordered in the request"],
  ],
  [
    "order of keys",
    asks(thing({ a: text, b: text })),
    asks(thing({ b: text, a: text })),
    ['patch | paths."/things".post.requestBody.content."application/json".schema.properties | put in another order'],
    ['patch | paths."/things".post.requestBody.content."application/json".schema.properties | put in another order'],
  ],
  [
    "order of required",
    asks(thing({ a: text, b: text }, ["a", "b"])),
    asks(thing({ a: text, b: text }, ["b", "a"])),
    ['patch | paths."/things".post.requestBody.content."application/json".schema.required | put in another order'],
    ['patch | paths."/things".post.requestBody.content."application/json".schema.required | put in another order'],
  ],
  ["version", spec(), spec({ info: { title: "Things", version: "2" } }), [], []],
  [
    "default",
    asks(thing({ a: text })),
    asks(thing({ a: { ...text, default: "d" } })),
    ["minor | createThing request a | `default: d` added to the request | review"],
    ["major | createThing request a | `default: d` removed from the request | review"],
  ],
  [
    "default answer",
    answers(thing({ a: text })),
    answers(thing({ a: { ...text, default: "d" } })),
    ["patch | createThing 200 answer a | `default: d` added to the 200 answer"],
    ["patch | createThing 200 answer a | `default: d` removed from the 200 answer"],
  ],
  [
    "readOnly",
    asks(thing({ a: text })),
    asks(thing({ a: { ...text, readOnly: true } })),
    ["major | createThing request a | became `readOnly` in the request"],
    ["minor | createThing request a | no longer `readOnly` in the request"],
  ],
  [
    "exported enum",
    spec(schemas({ MessageCode: either("x") })),
    spec(schemas({ MessageCode: either("x", "y") })),
    ["minor | MessageCode | value `y` added to the exported type"],
    ["major | MessageCode | value `y` removed from the exported type"],
  ],
  [
    "exported object",
    spec(schemas({ T: thing({ a: text }) })),
    spec(schemas({ T: thing({ a: text, b: text }, ["b"]) })),
    ["minor | T b | property `b` added to the exported type, required"],
    ["major | T b | property `b` removed from the exported type"],
  ],
  [
    "schema added",
    spec(schemas({ A: text })),
    spec(schemas({ A: text, B: text })),
    ["minor | B | schema added, and its type"],
    ["major | B | schema removed, and its type"],
  ],
  [
    "message codes",
    spec({}, { responses: { "401": { ...ok, "x-message-codes": ["a"] } } }),
    spec({}, { responses: { "401": { ...ok, "x-message-codes": ["a", "b"] } } }),
    ["minor | createThing 401 answer | message code `b` added to the 401 answer"],
    ["patch | createThing 401 answer | message code `b` removed from the 401 answer"],
  ],
  [
    "extension",
    spec(),
    spec({}, { "x-foo": 1 }),
    ["patch | createThing | `x-foo` added"],
    ["patch | createThing | `x-foo` removed"],
  ],
  [
    "unknown keys",
    spec(),
    spec({ webhooks: {} }, { callbacks: { a: {} } }),
    ["patch | createThing | `callbacks` added | review", "patch | top level | `webhooks` added | review"],
    ["patch | createThing | `callbacks` removed | review", "patch | top level | `webhooks` removed | review"],
  ],
  [
    "required without a property",
    asks(thing({ a: text })),
    asks(thing({ a: text }, ["z"])),
    ["major | createThing request z | is now required in the request"],
    ["minor | createThing request z | is no longer required in the request"],
  ],
  [
    "required in a part by itself",
    asks({ allOf: [thing({ a: text })] }),
    asks({ allOf: [thing({ a: text }), { required: ["a"] }] }),
    ["major | createThing request a | property `a` became required in the request"],
    ["minor | createThing request a | property `a` became optional in the request"],
  ],
  [
    "alternatives that ask for more",
    asks(thing({ a: text, b: text })),
    asks({ ...thing({ a: text, b: text }), oneOf: [{ required: ["a"] }, { required: ["b"] }] }),
    ["patch | createThing request | put in other words in the request, with the same types | review"],
    ["patch | createThing request | put in other words in the request, with the same types | review"],
  ],
  [
    "values of a type given up for a pattern",
    asks(thing({ a: either("a", "b") })),
    asks(thing({ a: { ...text, pattern: "^c" } })),
    [
      "major | createThing request a | `pattern: ^c` added to the request",
      'minor | createThing request a | type changed from `"a" | "b"` to `string` in the request',
    ],
    ['major | createThing request a | type changed from `string` to `"a" | "b"` in the request'],
  ],
  [
    "3.0 to 3.1",
    answers(thing({ a: { ...text, nullable: true }, n: { ...number, minimum: 1, exclusiveMinimum: true } })),
    answers(thing({ a: { type: ["string", "null"] }, n: { ...number, exclusiveMinimum: 1 } }), { openapi: "3.1.0" }),
    [
      "patch | createThing 200 answer a | put in other words in the 200 answer, with the same types",
      "patch | openapi | version changed from `3.0.3` to `3.1.0`",
    ],
    [
      "patch | createThing 200 answer a | put in other words in the 200 answer, with the same types",
      "patch | openapi | version changed from `3.1.0` to `3.0.3`",
    ],
  ],
  [
    "boolean",
    asks(thing({ a: { type: "boolean" } })),
    asks(thing({ a: { type: "boolean", enum: [true] } })),
    ["major | createThing request a | type changed from `boolean` to `true` in the request"],
    ["minor | createThing request a | type changed from `true` to `boolean` in the request"],
  ],
  [
    "tuple",
    answers({ type: "array", prefixItems: [text] }, { openapi: "3.1.0" }),
    answers({ type: "array", prefixItems: [text, text] }, { openapi: "3.1.0" }),
    ["major | createThing 200 answer | type changed from `[string]` to `[string, string]` in the 200 answer"],
    ["major | createThing 200 answer | type changed from `[string, string]` to `[string]` in the 200 answer"],
  ],
  [
    "proto",
    asks(thing({ a: text })),
    asks(
      thing(
        JSON.parse('{"a":{"type":"string"},"__proto__":{"type":"string"}, "constructor":{"type":"string"}}') as Json,
      ),
    ),
    [
      "major | createThing request | the type of the request is another one",
      "minor | createThing request __proto__ | property `__proto__` added to the request, optional",
      "minor | createThing request constructor | property `constructor` added to the request, optional",
    ],
    [
      "major | createThing request __proto__ | property `__proto__` removed from the request",
      "major | createThing request constructor | property `constructor` removed from the request",
    ],
  ],
];

describe("constants that callers import", () => {
  const kinds = { kinds: { type: "array", items: either("a", "b") }, name: { ...text, maxLength: 9 } };
  const from = asks(ref("Thing"), schemas({ Thing: thing(kinds) }));
  const cases: [string, OpenApi, string[]][] = [
    [
      "an enum given up",
      asks(ref("Thing"), schemas({ Thing: thing({ ...kinds, kinds: { type: "array", items: text } }) })),
      ["KindsEnum"],
    ],
    [
      "an enum moved to a schema of its own",
      asks(
        ref("Thing"),
        schemas({ Thing: thing({ ...kinds, kinds: { type: "array", items: ref("Kind") } }), Kind: either("a", "b") }),
      ),
      ["KindsEnum"],
    ],
    [
      "an object opened for more properties",
      asks(ref("Thing"), schemas({ Thing: { ...thing(kinds), additionalProperties: true } })),
      [],
    ],
    ["a limit lifted", asks(ref("Thing"), schemas({ Thing: thing({ ...kinds, name: text }) })), ["Constraints.name"]],
    [
      "a limit widened",
      asks(ref("Thing"), schemas({ Thing: thing({ ...kinds, name: { ...text, maxLength: 99 } }) })),
      [],
    ],
  ];

  test.each(cases)("%s", async (_, to, lost) => {
    const told = (await lines(from, to)).filter((line) => line.includes("no longer generated"));
    expect(told.map((line) => /^major .* `Thing…(\S+)` is/.exec(line)?.[1])).toEqual(lost);
  });
});

describe("a change and its way back", () => {
  test.each(rows)("%s", async (_, from, to, there, back) => {
    expect(await lines(from, to)).toEqual(there);
    expect(await lines(to, from)).toEqual(back);
  });
});

describe("constraints: callers suffer from a tighter request, readers from a looser answer", () => {
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
      await level(answers(at(low)), answers(at(high))),
      await level(answers(at(high)), answers(at(low))),
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
    ["not", { minLength: 3 }, { minLength: 4 }],
  ])("%s has no order: another one breaks either side", async (keyword, one, other) => {
    const at = (value: unknown): Json => thing({ a: { ...text, [keyword]: value } });
    expect(await level(asks(at(one)), asks(at(other)))).toBe("major");
    expect(await level(answers(at(one)), answers(at(other)))).toBe("major");
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
  });
});

describe("the customer-tokens description", async () => {
  const present = await readSpec("openapi/customer-tokens.yaml");
  const edited = (edit: (spec: OpenApi) => void): OpenApi => {
    const copy = structuredClone(present);
    edit(copy);
    return copy;
  };
  const at = (node: unknown, ...path: string[]): Json => path.reduce((json, key) => json[key] as Json, node as Json);
  const mint = (spec: OpenApi): Json => at(spec, "paths", "/api/customer_tokens", "post");
  const schema = (spec: OpenApi, name: string): Json => at(spec, "components", "schemas", name);
  const scopes = (spec: OpenApi): string[] =>
    at(schema(spec, "PostCustomerToken"), "properties", "scopes", "items")["enum"] as unknown as string[];

  test("lost a scope and gained two", async () => {
    const other = edited((spec) => {
      scopes(spec).splice(scopes(spec).indexOf("prices:read"), 1, "rewards:read", "rewards:execute");
    });
    expect(await lines(present, other)).toEqual([
      "major | createCustomerToken request scopes[] | scope `prices:read` removed from the request",
      "minor | createCustomerToken request scopes[] | scope `rewards:read` added to the request",
      "minor | createCustomerToken request scopes[] | scope `rewards:execute` added to the request",
    ]);
  });
  test("once described no errors", async () => {
    const early = edited((spec) => {
      for (const status of ["401", "403", "422"]) delete at(mint(spec), "responses")[status];
    });
    expect(await lines(early, present)).toEqual([
      "minor | createCustomerToken 401, 403 and 422 answers | added: the 401, 403 and 422 answers",
    ]);
    expect(await lines(present, early)).toEqual([
      "major | createCustomerToken 401, 403 and 422 answers | removed: the 401, 403 and 422 answers, so code that names it no longer compiles",
    ]);
  });
  test("described a 500 for two days, whose body equals the others'", async () => {
    const responses = (spec: OpenApi): Json => at(mint(spec), "responses");
    const other = edited((spec) => {
      const { description, content } = at(responses(spec), "401");
      responses(spec)["500"] = { description, content };
    });
    expect(await lines(present, other)).toEqual(["minor | createCustomerToken 500 answer | added: the 500 answer"]);
    expect(await lines(other, present)).toEqual([
      "major | createCustomerToken 500 answer | removed: the 500 answer, so code that names it no longer compiles",
    ]);
  });
  test("tells of a change in a shared schema once", async () => {
    const other = edited((spec) => {
      at(schema(spec, "ErrorResponse"), "properties")["hint"] = { type: "string" };
      schema(spec, "ErrorResponse")["required"] = ["status", "error_message"];
    });
    expect(await lines(present, other)).toEqual([
      "major | createCustomerToken 401, 403 and 422 answers message_code | property `message_code` became optional in the 401, 403 and 422 answers",
      "minor | createCustomerToken 401, 403 and 422 answers hint | property `hint` added to the 401, 403 and 422 answers, optional",
    ]);
  });
  test("lost a message code", async () => {
    const other = edited((spec) => {
      (schema(spec, "MessageCode")["enum"] as string[]).pop();
    });
    expect(await lines(present, other)).toEqual([
      "major | MessageCode | value `no_customer` removed from the exported type",
    ]);
  });
  test("knew no production server", async () => {
    const early = edited((spec) => {
      spec["servers"] = (spec["servers"] as Json[]).slice(0, 1);
    });
    expect(await lines(early, present)).toEqual([
      "minor | servers | environment `production` added: `https://id.production.cybrid.app`",
    ]);
    expect(await lines(present, early)).toEqual([
      "major | servers | environment `production` removed: `https://id.production.cybrid.app`",
    ]);
  });
  test("came with the version alone, and with new examples", async () => {
    const version = edited((spec) => {
      at(spec, "info")["version"] = "v999";
    });
    expect(await compareSpecs(present, version, { from: "v1", to: "v2" })).toEqual({
      verdict: "none",
      from: "v1",
      to: "v2",
      changes: [],
    });
    const examples = edited((spec) => {
      at(mint(spec), "responses", "422", "content", "application/json")["examples"] = {};
    });
    expect(await lines(present, examples)).toEqual(["patch | createCustomerToken 422 answer | `examples` changed"]);
  });

  test("is never the same after a random edit, and the same as itself", async () => {
    const places = placesIn(present).filter((path) => path.join(".") !== "info.version");
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...places),
        fc.constantFrom("remove", "replace", "add", "reverse"),
        async (path, edit) => {
          const other = edited((spec) => {
            mutate(at(spec, ...path.slice(0, -1)), path.at(-1) ?? "", edit);
          });
          const differs = JSON.stringify(other) !== JSON.stringify(present);
          for (const [from, to] of [
            [present, other],
            [other, present],
          ] as const)
            try {
              expect((await compareSpecs(from, to)).verdict === "none").toBe(!differs);
            } catch (error) {
              // An edit may leave a $ref without its end; that is not "none" either.
              if (!(error instanceof UserError)) throw error;
            }
        },
      ),
      { numRuns: 40 },
    );
  });

  test("reads as a pull request", async () => {
    const other = edited((spec) => {
      scopes(spec).shift();
      at(mint(spec))["summary"] = "Create";
      mint(spec)["security"] = [];
    });
    const verdict = await compareSpecs(present, other, { from: "v1", to: "v2`\n# <b>" });
    expect(verdictText(verdict)).toMatchInlineSnapshot(`
      "major: v1 → v2'�# <b>
        major  createCustomerToken request scopes[]  scope \`counterparties:read\` removed from the request
        major  createCustomerToken                   security requirement changed from \`BearerAuth and oauth2 customers:write\` to \`nothing\` (review)
        patch  createCustomerToken                   \`summary\` changed"
    `);
    expect(verdictMarkdown(verdict, ["upstream's examples show `x`"])).toMatchInlineSnapshot(`
      "# Specification v1 → v2b: major

      ## Major: code of callers may break

      - \`createCustomerToken request scopes[]\`: scope \`counterparties:read\` removed from the request
      - \`createCustomerToken\`: security requirement changed from \`BearerAuth and oauth2 customers:write\` to \`nothing\`. **Review this.**

      ## Patch: code of callers stays as it is

      - \`createCustomerToken\`: \`summary\` changed

      ## Notes

      - \`upstream's examples show 'x'\`

      ## How to review

      1. Is each change above meant? A removal can be a slip of the provider's: ask before merging a major one.
      2. \`openapi/customer-tokens.yaml\` shows what the provider changed, \`generated/\` what that means to callers. Nothing
         else should differ but \`openapi/source.json\`.
      3. "Review this" stands where no type can judge: security, defaults, what no rule knows.
      4. Does \`openapi/overlay.yaml\` still say what the provider does not, message codes above all?
      5. Merge when the checks are green. \`npm run release\` then writes the version and the changelog.
      "
    `);
  });
});

/** Every path to a value in a JSON document. */
function placesIn(node: unknown, path: string[] = []): string[][] {
  if (typeof node !== "object" || node === null) return [path];
  const below = Object.entries(node).flatMap(([key, value]) => placesIn(value, [...path, key]));
  return path.length === 0 ? below : [path, ...below];
}

function mutate(parent: Json | unknown[], key: string, edit: "remove" | "replace" | "add" | "reverse"): void {
  const object = parent as Json;
  const value = object[key];
  if (edit === "remove" && Array.isArray(parent)) parent.splice(Number(key), 1);
  else if (edit === "remove") delete object[key];
  else if (edit === "replace") object[key] = typeof value === "string" ? `${value}x` : 12_345;
  else if (edit === "reverse" && Array.isArray(value)) value.reverse();
  else if (typeof value === "object" && value !== null && !Array.isArray(value)) (value as Json)["x-new"] = 1;
}

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
