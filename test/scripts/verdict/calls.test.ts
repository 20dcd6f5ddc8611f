import type { OpenApi } from "../../../scripts/spec/json.js";
import {
  answers,
  asks,
  json,
  number,
  ok,
  query,
  ref,
  schemas,
  spec,
  takes,
  testBothWays,
  text,
  thing,
  type Json,
} from "./specs.js";

const responds = (responses: Record<string, Json>): OpenApi =>
  spec(
    {},
    { responses: Object.fromEntries(Object.entries(responses).map(([status, one]) => [status, { ...ok, ...one }])) },
  );

testBothWays([
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
    [
      "major | createThing data | `{ b: string; }` added to the data",
      "minor | createThing 202 answer | added: the 202 answer",
    ],
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
      "major | createThing 200 answer | removed: the 200 answer, so code that names it no longer compiles",
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
    takes(query("page", { schema: { type: "array", items: text } })),
    takes(query("page", { schema: { type: "array", items: text }, style: "form", explode: false })),
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
    ["major | createThing request | body added to the request, required"],
    ["major | createThing request | body removed from the request"],
  ],
  [
    "body required",
    spec({}, { requestBody: json(text) }),
    asks(text),
    ["major | createThing request | body became required in the request"],
    ["minor | createThing request | body became optional in the request"],
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
    "an error with another body",
    responds({ "401": json(thing({ code: text }, ["code"])) }),
    responds({ "401": json(thing({ code: text }, ["code"])), "500": json(thing({ reason: text }, ["reason"])) }),
    [
      "major | createThing error | `{ reason: string; }` added to the error",
      "minor | createThing 500 answer | added: the 500 answer",
    ],
    ["major | createThing 500 answer | removed: the 500 answer, so code that names it no longer compiles"],
  ],
  [
    "an error without a body beside one that has one",
    responds({ "401": json(thing({ code: text }, ["code"])) }),
    responds({ "401": json(thing({ code: text }, ["code"])), "500": {} }),
    ["minor | createThing 500 answer | added: the 500 answer"],
    ["major | createThing 500 answer | removed: the 500 answer, so code that names it no longer compiles"],
  ],
  [
    "a success without a body beside one that has one",
    responds({ "200": json(thing({ code: text }, ["code"])) }),
    responds({ "200": json(thing({ code: text }, ["code"])), "204": {} }),
    [
      "major | createThing data | `null` added to the data, where no code foresees it",
      "minor | createThing 204 answer | added: the 204 answer",
    ],
    ["major | createThing 204 answer | removed: the 204 answer, so code that names it no longer compiles"],
  ],
  [
    "content of an error that had none",
    responds({ "401": json(thing({ code: text }, ["code"])), "500": {} }),
    responds({ "401": json(thing({ code: text }, ["code"])), "500": json(text) }),
    [
      "major | createThing error | type changed from `{ code: string; }` to `string | { code: string; }` in the error",
      "minor | createThing 500 answer | content type `application/json` added to the 500 answer",
    ],
    ["major | createThing 500 answer | content type `application/json` removed from the 500 answer"],
  ],
  [
    "a property by which one success could be told from another",
    responds({ "200": json(thing({ a: text }, ["a"])), "202": json(thing({ b: text }, ["b"])) }),
    responds({ "200": json(thing({ a: text, b: text }, ["a"])), "202": json(thing({ b: text }, ["b"])) }),
    [
      "major | createThing data (1).b | property `b` added to the data, by which code could tell it from others",
      "minor | createThing 200 answer b | property `b` added to the 200 answer, optional",
    ],
    ["major | createThing 200 answer b | property `b` removed from the 200 answer"],
  ],
  [
    "a parameter described by content",
    takes({ in: "query", name: "q", ...json(thing({ a: text, b: text })) }),
    takes({ in: "query", name: "q", ...json(thing({ a: number })) }),
    [
      "major | createThing request query parameter q.a | type changed from `string` to `number` in the request",
      "major | createThing request query parameter q.b | property `b` removed from the request",
    ],
    [
      "major | createThing request query parameter q.a | type changed from `number` to `string` in the request",
      "minor | createThing request query parameter q.b | property `b` added to the request, optional",
    ],
  ],
  [
    "a parameter that may be empty",
    takes(query("q")),
    takes(query("q", { allowEmptyValue: true })),
    ["minor | createThing request query parameter q | may be empty in the request"],
    ["major | createThing request query parameter q | may no longer be empty in the request"],
  ],
]);
