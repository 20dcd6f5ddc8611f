import { describe, expect, test } from "vitest";
import { readFixture } from "../../support/cases.js";
import { type Json, asks, bothWays, responses, schemas, text } from "./specs.js";

interface Places {
  levels: string[];
  places: Record<string, Json>;
}

/** A change that allows fewer values, of what types do not show. */
const tighter: [name: string, loose: Json, tight: Json][] = [
  ["maxLength", { ...text, maxLength: 9 }, { ...text, maxLength: 5 }],
  ["pattern", text, { ...text, pattern: "^a" }],
];

describe.each(Object.entries(readFixture<Record<string, Places>>("verdict-places")))(
  "a schema that counts %s",
  (_, { levels, places }) => {
    test.each(Object.entries(places))("%s", async (_, place) => {
      for (const [name, loose, tight] of tighter) {
        const change = (make: typeof asks) => {
          const described = (Leaf: Json) => make(place, { ...schemas({ Leaf }), openapi: "3.1.0" });
          return bothWays(described(loose), described(tight));
        };
        expect([name, ...(await change(asks)), ...(await change(responses))]).toEqual([name, ...levels]);
      }
    });
  },
);
