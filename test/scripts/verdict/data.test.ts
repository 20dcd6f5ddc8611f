import { spec, ok, text, schemas, testBothWays } from "./specs.js";

testBothWays([
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
]);
