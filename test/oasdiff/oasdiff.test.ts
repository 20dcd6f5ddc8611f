import { expect, test } from "vitest";
import { UserError } from "../../scripts/command.js";
import { table } from "../../scripts/table.js";
import { compareSpecs } from "../../scripts/verdict/verdict.js";
import { oasdiffPairs } from "./pairs.js";
import type { Pair } from "./pairs.js";

/*
 * The rule: where oasdiff finds an error, the verdict is "major" or marks a change for review. A major verdict where oasdiff
 * finds no error is no fault: oasdiff asks whether the server still takes the request, the verdict also whether the caller's
 * code still compiles. `intended` names the errors that ask for less here, and why.
 */
const policy = "a promise about when something may go, not a change of what callers send or read";
const intended: [ids: RegExp, reason: string][] = [
  [/stability|sunset/, policy],
  [/x-extensible-enum/, "an extension that no generated type shows"],
  [/^webhook-|itemSchema/, "a slice keeps no webhooks"],
  [/all-of-added$/, "what the new part asks for is compared by itself, and here it asks for nothing"],
  [/any-of-added$/, "the new alternative has the type of one that was there"],
  [/^request-parameter-type-changed$/, "every value that was right still is"],
  [/^request-body-type-changed$/, "callers had the type of an object before, too"],
  [/^response-property-type-(changed|generalized)$/, "a property of what is a string, so nobody has it"],
  [/^(request|response)-property-enum-value-(removed|added)$/, "any string is allowed now"],
];

interface Played extends Pair {
  verdict: string;
  isMarked: boolean;
}

async function played(pair: Pair): Promise<Played> {
  try {
    const { verdict, changes } = await compareSpecs(pair.base, pair.revision);
    return { ...pair, verdict, isMarked: changes.some(({ review }) => review) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { ...pair, verdict: "refused", isMarked: true };
  }
}

test("no verdict is lower than oasdiff's", { timeout: 3600_000 }, async () => {
  const all: Played[] = [];
  for (const pair of await oasdiffPairs()) all.push(await played(pair));
  const levels = ["major", "minor", "patch", "none", "refused"];
  const row = (name: string, some: Played[]): string[] => [
    name,
    ...levels.map((level) => String(some.filter(({ verdict }) => verdict === level).length)),
  ];
  const [wrong, right] = [
    all.filter(({ errors }) => errors.length > 0),
    all.filter(({ errors }) => errors.length === 0),
  ];
  const lower = wrong.filter(({ verdict, isMarked }) => verdict !== "major" && !isMarked);
  const reason = (id: string): string | undefined => intended.find(([ids]) => ids.test(id))?.[1];
  const why = lower.map(({ errors }) => errors.map(reason));
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
