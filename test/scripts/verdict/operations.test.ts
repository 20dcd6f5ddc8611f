import { spec, ok, testBothWays } from "./specs.js";

testBothWays([
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
]);
