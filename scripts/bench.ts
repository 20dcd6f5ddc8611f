import { spawnSync } from "node:child_process";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import type { Measured } from "./bench/measure.js";
import { medians } from "./bench/medians.js";
import { UserError, flag, parseOptions, root, runIfMain, text } from "./cli.js";
import { ensureJar, readGeneratorConfig, startJar } from "./generate/jar.js";
import { cachedNode, install, npm, run } from "./npm.js";
import { table, writeToGuide } from "./markdown.js";

const folder = join(root, ".cache", "bench");
const spec = join(root, "openapi", "customer-tokens.yaml");
const newerNode = "24.21.0";
const heyApiVersion = "0.90.0"; // the newest that runs on Node 20

const help = `Usage: npm run bench -- [OPTION]...

Builds the package, generates its peers, measures both and prints the figures. Takes some minutes, on a quiet machine.

  --write     write the figures into docs/speed.md, too
  --rounds N  how often each call is measured (default: 3000); fewer show only whether the measure works
  -h, --help  show this page`;

async function main(args: string[]): Promise<void> {
  const given = parseOptions(args, { write: flag, rounds: text }, help);
  if (given === undefined) return;
  const { write, rounds = "3000" } = given.values;
  if (!/^[1-9]\d{0,5}$/.test(rounds)) throw new UserError("--rounds: expected a number from 1 to 999999; see --help");
  console.log("Building the package and its peers");
  await npm(["run", "--silent", "build"], { cwd: root });
  await generatePeers();
  const peers = [
    "raw `fetch` with a deadline and `no-store`",
    "openapi-fetch",
    "typescript-fetch",
    "hey-api",
    "itself (noise)",
  ];
  const measured = [...(await calls(Number(rounds))), await coldStart(), ...(await bundles())];
  const [cpu] = cpus();
  const where = `Node ${process.versions.node}, ${cpus().length} cores (${cpu?.model.trim() ?? "unknown"})`;
  const figures = `${table([["Measure", "Ours", "Target", ...peers], ...measured])}

\`npm run bench\` on ${where}. A call and a raw \`fetch\` alternate one by one: ratios of the medians of ${rounds} rounds, and the
last column compares a raw \`fetch\` with itself. A cold start alternates with an empty module.`;
  console.log(`\n${figures}`);
  if (write) await writeToGuide("docs/speed.md", "bench", figures);
}

async function generatePeers(): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const jar = await ensureJar(await readGeneratorConfig());
  const suffixes = ["--model-name-suffix", "IdpModel", "--api-name-suffix", "IdpApi"];
  const output = join(folder, "typescript-fetch");
  const generator = await startJar(jar, ["generate", "-g", "typescript-fetch", "-i", spec, "-o", output, ...suffixes]);
  await generator.finished;
  const generators = join(folder, "generators");
  // Without the second one npm would take the newest TypeScript, whose compiler API is gone.
  await install(generators, [`@hey-api/openapi-ts@${heyApiVersion}`, "typescript@5.9.3"]);
  const heyApi = join(generators, "node_modules", "@hey-api", "openapi-ts", "bin", "run.js");
  await run(process.execPath, [heyApi, "-i", spec, "-o", join(folder, "hey-api"), "-c", "@hey-api/client-fetch"], {
    cwd: folder,
  });
}

const alias = {
  "cybrid-customer-tokens": join(root, "dist", "index.js"),
  "peers/typescript-fetch": join(folder, "typescript-fetch", "index.ts"),
  "peers/hey-api": join(folder, "hey-api", "sdk.gen.ts"),
  "peers/hey-api-client": join(folder, "hey-api", "client", "index.ts"),
};

async function calls(rounds: number): Promise<string[][]> {
  console.log("Measuring calls");
  const program = join(folder, "measure.mjs");
  const entryPoints = [join(root, "scripts", "bench", "measure.ts")];
  const settings = { bundle: true, platform: "node", format: "esm", target: "node20", alias } as const;
  await build({ ...settings, entryPoints, outfile: program });
  const measure = async (node: string) => JSON.parse((await run(node, [program, String(rounds)])).stdout) as Measured;
  const older = await measure(process.execPath);
  const newer = await measure(await cachedNode(newerNode));
  const rows = (title: string, kind: "memory" | "one" | "many", target: string) =>
    Object.entries({ [process.versions.node]: older, [newerNode]: newer }).map(([node, { [kind]: ratios }]) => {
      const [ours = "", ...peers] = ratios.map((ratio) => ratio.toFixed(2));
      return [`${title} ÷ raw \`fetch\`, Node ${node.split(".")[0]}`, ours, target, ...peers];
    });
  return [
    ...rows("a call in memory", "memory", "≤ openapi-fetch"),
    ...rows("… over loopback, one at a time,", "one", "≤ 0.92 × openapi-fetch"),
    ...rows("… over loopback, 64 at once,", "many", "≤ openapi-fetch"),
    ["hostile text: time for a character of 1 MB ÷ of 64 kB", older.redaction.toFixed(2), "≤ 1.2"],
  ];
}

/** From the start of a process to the client, compared with one that does nothing. */
async function coldStart(): Promise<string[]> {
  console.log("Measuring cold starts");
  // Windows' paths are not module names.
  const url = (path: string) => pathToFileURL(join(root, path)).href;
  // Loading any module from a file costs Node as much as the client itself.
  const empty = join(root, ".cache", "empty.mjs");
  await mkdir(dirname(empty), { recursive: true });
  await writeFile(empty, "");
  const programs = [
    `import "${url(".cache/empty.mjs")}";`,
    `import { bearer, createCustomerTokensClient } from "${url("dist/index.js")}"; createCustomerTokensClient({ auth: bearer("t") });`,
    `import createClient from "${url("node_modules/openapi-fetch/dist/index.mjs")}"; createClient({ baseUrl: "https://idp.example" });`,
  ];
  const tasks = programs.map((program) => () => spawnSync(process.execPath, ["--input-type=module", "-e", program]));
  const [nothing = NaN, ...times] = await medians(tasks, 25);
  const [ours = "", openapiFetch = ""] = times.map((time) => (time / nothing).toFixed(2));
  return ["cold: process start to client ÷ to an empty module", ours, "≤ 1.10", "", openapiFetch];
}

async function bundles(): Promise<string[][]> {
  const size = async (contents: string) => {
    const stdin = { contents, resolveDir: root };
    const options = { bundle: true, minify: true, format: "esm", platform: "browser", target: "es2022" } as const;
    const { outputFiles } = await build({ ...options, stdin, alias, write: false });
    return `${(gzipSync(outputFiles[0]?.contents ?? "", { level: 9 }).length / 1000).toFixed(1)} kB`;
  };
  const peers = [
    'export { default } from "openapi-fetch";',
    'export { Configuration, CustomerTokensIdpApi } from "peers/typescript-fetch";',
    'export { createCustomerToken } from "peers/hey-api"; export { createClient } from "peers/hey-api-client";',
  ];
  const ours = 'export { bearer, createCustomerTokensClient } from "cybrid-customer-tokens";';
  const [bearerOnly = "", ...others] = await Promise.all([ours, ...peers].map(size));
  return [
    ["browser bundle, minified and gzipped: `bearer` only", bearerOnly, "≤ 9.0 kB", "", ...others],
    ["… with everything", await size('export * from "cybrid-customer-tokens";'), "≤ 12.5 kB"],
  ];
}

await runIfMain(import.meta.filename, main);
