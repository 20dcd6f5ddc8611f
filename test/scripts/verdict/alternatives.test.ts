import { asks, answers, thing, text, number, schemas, ref, testBothWays, type Json } from "./specs.js";

const listOf = (items: Json): Json => ({ type: "array", items });

testBothWays([
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
    "the second list of a union",
    answers({ oneOf: [listOf(thing({ a: text }, ["a"])), listOf(thing({ b: text, c: text }, ["b"]))] }),
    answers({ oneOf: [listOf(thing({ a: text }, ["a"])), listOf(thing({ b: text }, ["b"]))] }),
    ["major | createThing 200 answer [](2).c | property `c` removed from the 200 answer"],
    ["minor | createThing 200 answer [](2).c | property `c` added to the 200 answer, optional"],
  ],
  [
    "a kind of value that code could ask for",
    answers(thing({ a: { oneOf: [text, number] } })),
    answers(thing({ a: { oneOf: [text] } })),
    [
      "major | createThing 200 answer a | type changed from `string | number` to `string` in the 200 answer, so code that tells them apart no longer compiles",
    ],
    ["major | createThing 200 answer a | type changed from `string` to `string | number` in the 200 answer"],
  ],
  [
    "the alternative of the same type among others",
    asks({ anyOf: [{ ...text, maxLength: 5 }, { type: "boolean" }] }),
    asks({ anyOf: [number, { ...text, maxLength: 4 }, { type: "boolean" }] }),
    [
      "major | createThing request (1) | `maxLength` tightened from `5` to `4` in the request",
      "minor | createThing request | type changed from `string | boolean` to `string | number | boolean` in the request",
    ],
    [
      "major | createThing request | type changed from `string | number | boolean` to `string | boolean` in the request",
      "minor | createThing request (2) | `maxLength` loosened from `4` to `5` in the request",
    ],
  ],
]);
