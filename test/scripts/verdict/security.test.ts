import { secured, bearer, flow, testBothWays } from "./specs.js";

testBothWays([
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
    "an alternative requirement",
    secured({ b: bearer }, [{ b: [] }]),
    secured({ b: bearer }, [{ b: [] }, { k: [] }]),
    ["minor | createThing | security requirement changed from `b` to `b, or k` | review"],
    ["major | createThing | security requirement changed from `b, or k` to `b` | review"],
  ],
]);
