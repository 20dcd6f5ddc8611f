import { describe, expect, test } from "vitest";
import { checkRequest } from "../../src/validate.js";

interface Order {
  guid: string;
  note?: string;
  tags?: readonly string[];
  count?: number;
}
const constraints = {
  guid: { minLength: 2, maxLength: 2 },
  note: { maxLength: 3 },
  tags: { minItems: 1, uniqueItems: true },
} as const;
const checkOrder = (order: object) => checkRequest(order as Order, constraints, ["note", "tags"]);

describe("a request of any operation", () => {
  test.each([{ guid: "ab" }, { guid: "ab", note: "", tags: ["a", "b"] }, { guid: "ab", note: "abc", count: -1 }])(
    "passes by its constraints: %j",
    (order) => expect(() => checkOrder(order)).not.toThrow(),
  );

  test.each<[string, object]>([
    ["request: expected an object", []],
    ["guid: expected a string of 2 characters, got undefined", {}],
    ["guid: expected a string of 2 characters, got 1", { guid: "a" }],
    ["guid: expected a string of 2 characters, got 3", { guid: "abc" }],
    ["note: expected a string of 0 to 3 characters, got 4", { guid: "ab", note: "long" }],
    ["note: expected a string of 0 to 3 characters, got object", { guid: "ab", note: null }],
    ["tags: expected an array of at least 1 string", { guid: "ab", tags: [] }],
    ["tags: expected an array of at least 1 string", { guid: "ab", tags: ["a", 1] }],
    ["tags: expected each of them once", { guid: "ab", tags: ["a", "a"] }],
  ])("is refused: %s", (message, order) => expect(() => checkOrder(order)).toThrow(message));
});
