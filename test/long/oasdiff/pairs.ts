import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { OpenApi } from "../../../scripts/spec/json.js";

const version = "v1.38.0";
const module = `github.com/oasdiff/oasdiff@${version}`;
const folder = join(".cache", "oasdiff", version);

/** Two descriptions that one of oasdiff's own tests compares, and the errors that oasdiff finds between them. */
export interface Pair {
  test: string;
  base: OpenApi;
  revision: OpenApi;
  errors: string[];
}

/** Every pair once, without those of which both are the same. */
export async function oasdiffPairs(): Promise<Pair[]> {
  const pairs = await preparedPairs();
  const said = JSON.parse(await readFile(join(folder, "said.json"), "utf8")) as Record<
    string,
    { id: string; level: string }[]
  >;
  const found = new Map<string, Pair>();
  for (const file of (await readdir(pairs)).sort()) {
    const pair = JSON.parse(await readFile(join(pairs, file), "utf8")) as Pair;
    const key = JSON.stringify([pair.base, pair.revision]);
    const changes = said[file];
    if (changes === undefined || found.has(key) || JSON.stringify(pair.base) === JSON.stringify(pair.revision))
      continue;
    const errors = changes.filter(({ level }) => level === "error").map(({ id }) => id);
    found.set(key, { ...pair, errors: [...new Set(errors)] });
  }
  return [...found.values()];
}

/** The folder with the pairs; made once, by running oasdiff's tests with `pairs.go` among its files. */
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
  await cp("test/long/oasdiff/judge.go", join(source, "judge", "main.go"));
  const untouched = await readFile(join(source, "diff", "diff.go"), "utf8");
  const signature = /^func GetWithOperationsSourcesMap\(.*\{$/m;
  if (!signature.test(untouched)) throw new Error("oasdiff has no function GetWithOperationsSourcesMap");
  await cp("test/long/oasdiff/pairs.go", join(source, "diff", "pairs.go"));
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
    if (code === "ENOENT") throw new Error("there is no Go: install Go 1.26 or later from https://go.dev/dl/");
    throw new Error(`go ${args.join(" ")} failed: ${`${stdout}${stderr}`.trim().slice(-1_000)}`);
  }
}
