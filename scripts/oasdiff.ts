import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { UserError, command } from "./command.js";
import type { OpenApi } from "./spec/json.js";
import { table } from "./table.js";
import { compareSpecs } from "./verdict/verdict.js";

/*
 * Plays every pair of descriptions that oasdiff's own tests compare against the verdict.
 *
 * The rule: where oasdiff finds an error, the verdict is "major" or marks a change for review. A major verdict where oasdiff
 * finds no error is no fault: oasdiff asks whether the server still takes the request, the verdict also whether the caller's
 * code still compiles. `intended` names the errors that ask for less here, and why.
 */
const version = "v1.36.0";
const module = `github.com/oasdiff/oasdiff@${version}`;
const folder = join(".cache", "oasdiff", version);

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

interface Played {
  test: string;
  errors: string[];
  verdict: string;
  isMarked: boolean;
}

await command(async () => {
  const pairs = await preparedPairs();
  const said = JSON.parse(await readFile(join(folder, "said.json"), "utf8")) as Record<
    string,
    { id: string; level: string }[]
  >;
  const played: Played[] = [];
  const met = new Set<string>();
  for (const file of (await readdir(pairs)).sort()) {
    const text = await readFile(join(pairs, file), "utf8");
    const { test, base, revision } = JSON.parse(text) as { test: string; base: OpenApi; revision: OpenApi };
    const key = JSON.stringify([base, revision]);
    const changes = said[file];
    if (changes === undefined || met.has(key) || JSON.stringify(base) === JSON.stringify(revision)) continue;
    met.add(key);
    const errors = [...new Set(changes.filter(({ level }) => level === "error").map(({ id }) => id))];
    try {
      const { verdict, changes: found } = await compareSpecs(base, revision);
      played.push({ test, errors, verdict, isMarked: found.some(({ review }) => review) });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      played.push({ test, errors, verdict: "refused", isMarked: true });
    }
  }
  report(played);
});

function report(played: Played[]): void {
  const levels = ["major", "minor", "patch", "none", "refused"];
  const count = (isError: boolean, level: string): string =>
    String(played.filter(({ errors, verdict }) => errors.length > 0 === isError && verdict === level).length);
  console.log(`${played.length} pairs\n`);
  console.log(
    table([
      ["oasdiff", ...levels],
      ["an error", ...levels.map((level) => count(true, level))],
      ["no error", ...levels.map((level) => count(false, level))],
    ]),
  );
  const lower = played.filter(({ errors, verdict, isMarked }) => errors.length > 0 && verdict !== "major" && !isMarked);
  const reason = (id: string): string | undefined => intended.find(([ids]) => ids.test(id))?.[1];
  const byReason = new Map<string, number>();
  const faults: Played[] = [];
  for (const one of lower) {
    const reasons = one.errors.map(reason);
    if (reasons.includes(undefined)) faults.push(one);
    else byReason.set(reasons[0] ?? "", (byReason.get(reasons[0] ?? "") ?? 0) + 1);
  }
  console.log("\nLower than oasdiff's by intent:\n");
  console.log(table([["pairs", "why"], ...[...byReason].map(([why, pairs]) => [String(pairs), why])]));
  if (faults.length === 0) return;
  const rows = faults.map(({ test, verdict, errors }) => [test, verdict, errors.join(", ")]);
  console.log(`\nLower than oasdiff's:\n\n${table([["test", "verdict", "oasdiff's errors"], ...rows])}`);
  throw new UserError(`${faults.length} verdicts are lower than oasdiff's`);
}

/** The folder with the pairs; made once, by running oasdiff's tests with `oasdiff/pairs.go` among its files. */
async function preparedPairs(): Promise<string> {
  const pairs = join(folder, "pairs");
  if (existsSync(join(folder, "said.json"))) return pairs;
  const source = join(folder, "source");
  await rm(folder, { recursive: true, force: true });
  await mkdir(pairs, { recursive: true });
  console.log(`Preparing ${module}: it takes a few minutes, once.`);
  const { Dir } = JSON.parse(await go(["mod", "download", "-json", module], folder)) as { Dir: string };
  // A module in Go's cache may not be written to.
  await cp(Dir, source, { recursive: true });
  await promisify(execFile)("chmod", ["-R", "u+w", source]);
  await mkdir(join(source, "judge"));
  await cp("scripts/oasdiff/judge.go", join(source, "judge", "main.go"));
  const untouched = await readFile(join(source, "diff", "diff.go"), "utf8");
  const signature = /^func GetWithOperationsSourcesMap\(.*\{$/m;
  if (!signature.test(untouched)) throw new Error("oasdiff has no function GetWithOperationsSourcesMap");
  await cp("scripts/oasdiff/pairs.go", join(source, "diff", "pairs.go"));
  await writeFile(
    join(source, "diff", "diff.go"),
    untouched.replace(signature, (line) => `${line}\n\tdumpPair(s1.Spec, s2.Spec)`),
  );
  await go(["test", "-count=1", "./checker"], source, { PAIRS: join(process.cwd(), pairs) });
  await rm(join(source, "diff", "pairs.go"));
  await writeFile(join(source, "diff", "diff.go"), untouched);
  const said = await go(["run", "./judge", join(process.cwd(), pairs)], source);
  await writeFile(join(folder, "said.tmp"), said);
  await rename(join(folder, "said.tmp"), join(folder, "said.json"));
  return pairs;
}

async function go(args: string[], cwd: string, env: Record<string, string> = {}): Promise<string> {
  try {
    const options = { cwd, env: { ...process.env, GOFLAGS: "-mod=mod", ...env }, maxBuffer: 2 ** 28 };
    return (await promisify(execFile)("go", args, options)).stdout;
  } catch (error) {
    const { code, stdout = "", stderr = "" } = error as { code?: unknown; stdout?: string; stderr?: string };
    if (code === "ENOENT") throw new UserError("there is no Go: install Go 1.26 or later from https://go.dev/dl/");
    throw new UserError(`go ${args.join(" ")} failed: ${`${stdout}${stderr}`.trim().slice(-1_000)}`);
  }
}
