import { spec, asks, answers, thing, text, number, either, schemas, ref, testBothWays, type Json } from "./specs.js";

testBothWays([
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
]);
