import { execFile } from "node:child_process";
import { truncate } from "node:fs/promises";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { UserError } from "../../../scripts/cli.js";
import { checkSpec } from "../../../scripts/spec/check.js";
import type { Json } from "../../../scripts/spec/json.js";
import { parseSpec } from "../../../scripts/spec/parse.js";
import { readCases, readFixture } from "../../support/cases.js";
import { treeForAll } from "../../support/tree.js";

interface Case {
  /** The text itself, or the parts that are added to the smallest description. */
  text?: string;
  schemas?: Json;
  operation?: Json;
  spec?: Json;
  says: string;
}

function textOf({ text, schemas, operation, spec }: Omit<Case, "says">): string {
  const paths = { "/books": { get: { operationId: "getBook", responses: {}, ...operation } } };
  const minimal = { openapi: "3.0.3", info: { title: "Library", version: "1" }, paths };
  return text ?? JSON.stringify({ ...minimal, ...(schemas && { components: { schemas } }), ...spec });
}

/** The sentence that a description is refused with. */
function refusalOf(text: string): string {
  let error: unknown;
  try {
    checkSpec(parseSpec(text, "x"), "x");
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(UserError);
  const { message } = error as UserError;
  expect(message).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
  expect(message.length).toBeLessThan(400);
  return message;
}

describe.each(["references", "names-and-texts", "fields"])("refused with its place, as in %s.yaml:", (subject) => {
  test.each(readCases<Case>(`refused/${subject}`))("%s", (_, { says, ...description }) => {
    const message = refusalOf(textOf(description));
    expect(message).toContain(says);
    expect(message).toMatch(/^x(:\d+:\d+)?: #\//);
  });
});

describe("refused while it is read:", () => {
  test.each(readCases<Case>("refused/texts"))("%s", (_, { says, ...description }) => {
    expect(refusalOf(textOf(description))).toContain(says);
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect({}).not.toHaveProperty("polluted");
  });
});

describe("refused for its size:", () => {
  const { at, put } = treeForAll();
  /** A chain of schemas, each with a reference to the next. */
  const chain = (length: number, link: (next: Json) => Json): string =>
    textOf({
      schemas: Object.fromEntries(
        Array.from({ length }, (_, at) => {
          const schema = at + 1 < length ? link({ $ref: `#/components/schemas/S${at + 1}` }) : { type: "string" };
          return [`S${at}`, schema];
        }),
      ),
    });
  const nine = (what: string) => `[${Array(9).fill(what).join()}]`;
  const laughs = Array.from({ length: 12 }, (_, at) => `a${at}: &a${at} ${nine(at === 0 ? "x" : `*a${at - 1}`)}`);
  const tooDeep = "nested deeper than 100 levels";
  const cases: [title: string, text: string, says: string][] = [
    ["a very long path", textOf({ spec: { paths: { [`/${"a".repeat(2000)}`]: {} } } }), "have at most 2000 characters"],
    ["a very long name", textOf({ schemas: { ["A".repeat(201)]: {} } }), "a name must have at most 200 characters"],
    ["references that explode", chain(40, (next) => ({ allOf: [next, next] })), "hold more than 100000000 values"],
    ["references to references", chain(1_010, (next) => next), "lead through more than 1000 levels"],
    ["a very long chain", chain(8_000, (next) => ({ properties: { next } })), "lead through more than 1000 levels"],
    ["a billion laughs", laughs.join("\n"), "aliases refer to nothing or multiply beyond bounds"],
    ["very many aliases", `a: &a x\nb: [${"*a,".repeat(1e5)}]`, "more than 1000 YAML aliases"],
    ["few aliases to very much", `a: &a [${"x,".repeat(1e4)}]\nb: [${"*a,".repeat(201)}]`, "more than 2000000 values"],
    ["deep brackets", "[".repeat(2e6), tooDeep],
    ["deep braces", "{a: ".repeat(1e6), tooDeep],
    ["deep dashes", "- ".repeat(1e6), tooDeep],
    ["deep question marks", "? ".repeat(1e6), tooDeep],
    ["deep indentation", Array.from({ length: 3000 }, (_, depth) => `${" ".repeat(depth)}a:\n`).join(""), tooDeep],
    ["a hundred and one levels", `openapi: 3.0.3\nx: ${"[".repeat(101)}${"]".repeat(101)}`, tooDeep],
    ["deep JSON", `${'{"a":['.repeat(1e5)}${"]}".repeat(1e5)}`, tooDeep],
    ["deep JSON that breaks off", '{"a":'.repeat(5e5), tooDeep],
    ["very many tokens", `[${",".repeat(2e6)}]`, "has more than 1000000 YAML tokens: convert it to JSON (limit 32 MB)"],
    ["very many values, in JSON", `[${"1,".repeat(2e6)}1]`, "has more than 2000000 values"],
    ["50 MB", `# ${"x".repeat(50e6)}`, "is larger than 32 MB"],
  ];

  test.each(cases)("%s", (_, text, says) => {
    expect(refusalOf(text)).toContain(says);
  });

  test("also by a process with little memory, and without reading a file that is too large", async () => {
    const small = cases.slice(0, -1);
    const paths = await Promise.all(small.map(([, text], index) => put(`${index}.yaml`, text)));
    paths.push(await put("large.yaml", ""));
    await truncate(at("large.yaml"), 50_000_000);
    // Every command starts with `readSpec`.
    const program = `import { readSpec } from "./scripts/spec/read.ts";
      const says = [];
      for (const path of ${JSON.stringify(paths)})
        says.push(await readSpec(path).then(() => "accepted", ({ name, message }) => name + ": " + message));
      console.log(JSON.stringify(says));`;
    const options = ["--max-old-space-size=512", "--import", "tsx", "--input-type=module", "--eval", program];
    const { stdout } = await promisify(execFile)(process.execPath, options, { timeout: 60_000 });
    const sentences = JSON.parse(stdout) as string[];
    expect(sentences).toEqual(cases.map(([, , says]) => expect.stringContaining(says) as string));
    expect(sentences.filter((sentence) => !sentence.startsWith("UserError: "))).toEqual([]);
  }, 90_000);
});

test("a description that only looks odd is not refused", () => {
  const spec = readFixture<Json>("odd");
  expect(checkSpec(parseSpec(stringify(spec), "x"), "x")).toBeUndefined();
});
