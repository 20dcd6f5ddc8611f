import { spec, testBothWays } from "./specs.js";

testBothWays([
  [
    "server removed",
    spec(),
    spec({ servers: [{ url: "https://example.com", "x-environment": "production" }] }),
    ["major | servers | environment `sandbox` removed: `https://sandbox.example.com` | review"],
    ["minor | servers | environment `sandbox` added: `https://sandbox.example.com` | review"],
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
      "major | servers | environment `sandbox` moved from `https://sandbox.example.com` to `https://sandbox.example.org` | review",
    ],
    [
      "major | servers | environment `sandbox` moved from `https://sandbox.example.org` to `https://sandbox.example.com` | review",
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
    ["patch | the description | put in another order"],
    ["patch | the description | put in another order"],
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
    ["major | servers | environment `sandbox` is now environment `test` | review"],
    ["major | servers | environment `test` is now environment `sandbox` | review"],
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
]);
