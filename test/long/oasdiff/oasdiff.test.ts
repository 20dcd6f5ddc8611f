import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { UserError } from "../../../scripts/cli.js";
import { table } from "../../../scripts/markdown.js";
import { compareSpecs } from "../../../scripts/verdict/verdict.js";
import { readFixture } from "../../support/cases.js";
import { oasdiffPairs, type Pair } from "./pairs.js";

/*
 * The rule: if oasdiff finds an error, the verdict is "major" or marks a change for review. A major verdict if oasdiff finds no
 * error is not a fault: oasdiff asks whether the server still takes the request, the verdict also whether the caller's code still
 * compiles. Errors that ask for less here are named, with the reason: some ids in every pair, others in one pair.
 */
const { policies, intended } = readFixture<{
  policies: Record<string, string>;
  /** By the pair's digest. */
  intended: Record<string, { ids: string[]; reason: string }>;
}>("oasdiff");

/** Why an error of oasdiff asks for less here, undefined if it should not. */
function reasonFor({ base, revision }: Pair, id: string): string | undefined {
  const digest = createHash("sha256")
    .update(JSON.stringify([base, revision]))
    .digest("hex")
    .slice(0, 8);
  const { ids, reason } = intended[digest] ?? {};
  return ids?.includes(id) ? reason : Object.entries(policies).find(([policy]) => new RegExp(policy).test(id))?.[1];
}

interface Compared extends Pair {
  verdict: string;
  isMarked: boolean;
}

async function compared(pair: Pair): Promise<Compared> {
  try {
    const { verdict, changes } = await compareSpecs(pair.base, pair.revision);
    return { ...pair, verdict, isMarked: changes.some(({ review }) => review) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { ...pair, verdict: "refused", isMarked: true };
  }
}

test("no verdict is lower than oasdiff's", { timeout: 3600_000 }, async () => {
  const all: Compared[] = [];
  for (const pair of await oasdiffPairs()) all.push(await compared(pair));
  const levels = ["major", "minor", "patch", "none", "refused"];
  const row = (name: string, some: Compared[]): string[] => [
    name,
    ...levels.map((level) => String(some.filter(({ verdict }) => verdict === level).length)),
  ];
  const [wrong, right] = [
    all.filter(({ errors }) => errors.length > 0),
    all.filter(({ errors }) => errors.length === 0),
  ];
  const lower = wrong.filter(({ verdict, isMarked }) => verdict !== "major" && !isMarked);
  const why = lower.map((pair) => pair.errors.map((id) => reasonFor(pair, id)));
  const counts = [...new Set(why.flat())].map((one) => [
    String(why.filter(([first]) => first === one).length),
    one ?? "no reason is known",
  ]);
  console.log(
    `${all.length} pairs\n\n${table([["oasdiff", ...levels], row("an error", wrong), row("no error", right)])}`,
  );
  console.log(`\nLower than oasdiff's:\n\n${table([["pairs", "why"], ...counts])}`);
  const faults = lower.filter((_, index) => why[index]?.includes(undefined));
  expect(faults.map((one) => `${one.test}: ${one.verdict}, oasdiff's errors: ${one.errors.join(", ")}`)).toEqual([]);
  expect(all.length).toBeGreaterThan(1_000);
});
