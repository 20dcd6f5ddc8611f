import { describe, expect, test } from "vitest";
import { inspectCode, inspectDocs } from "../../../scripts/generate/inspect.js";
import { readFixture } from "../../support/cases.js";

const { code, docs } = readFixture<{
  code: { allowed: string[]; refused: Record<string, string[]> };
  docs: { allowed: string[]; refused: string[] };
}>("inspect");

const inspect = (text: string) => () =>
  inspectCode(new Map(Object.entries({ "models/A.ts": "export interface A { a: string }\n", "models/B.ts": text })));
const inspectPage = (text: string) => () => inspectDocs(new Map([["docs/A.md", `# A\n\n${text}\n`]]));

describe("generated code may do nothing", () => {
  test.each(code.allowed)("allowed: %s", (text) => {
    expect(inspect(text)).not.toThrow();
  });

  test.each(Object.entries(code.refused).flatMap(([says, all]) => all.map((text) => [text, says] as const)))(
    "refused: %s",
    (text, says) => {
      expect(inspect(text)).toThrow(says);
    },
  );
});

describe("a generated page holds text, code and links to pages and to https", () => {
  test.each(docs.allowed)("allowed: %s", (text) => {
    expect(inspectPage(text)).not.toThrow();
  });

  test.each(docs.refused)("refused: %s", (text) => {
    expect(inspectPage(text)).toThrow(/generated\/docs\/A\.md:[35]: /);
  });
});
