import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { parse } from "yaml";
import type * as emulatorModule from "../src/emulator/emulator.js";
import type * as clientsModule from "./bench/clients.js";
import { command } from "./command.js";
import { ensureJar, readGeneratorConfig, startJar } from "./generate/jar.js";
import { cachedNode, install, pack, run } from "./package.js";
import { table, writeToGuide } from "./table.js";

const root = fileURLToPath(new URL("../", import.meta.url));
const folder = join(root, ".cache", "bench");
const spec = join(root, "openapi", "customer-tokens.yaml");
const newerNode = "24.21.0";
const heyApiVersion = "0.90.0"; // the newest that runs on Node 20

/** Measures the package beside its peers, prints the table, and with `--write` writes it into its guide. */
async function main(): Promise<void> {
  console.log("Building the package and its peers");
  await run("npm", ["run", "--silent", "build"], { cwd: root });
  await generatePeers();
  const rows = [
    [
      "Measure",
      "Ours",
      "Target",
      "raw `fetch` with a deadline",
      "openapi-fetch",
      "typescript-fetch",
      "hey-api",
      "itself (noise)",
    ],
    ...(await calls()),
    ...(await coldStart()),
    ...(await bundles()),
    ...(await installed()),
    ...(await tokenRequests()),
    ...(await pipeline()),
  ];
  const [cpu] = cpus();
  const where = `Node ${process.versions.node}, ${cpus().length} cores (${cpu?.model.trim() ?? "unknown"})`;
  const text = `${table(rows)}\n\n\`npm run bench\` on ${where}. A call and a raw \`fetch\` alternate one by one: ratios of the medians of 3,000 rounds, and the last column is a raw \`fetch\` beside itself. Brackets hold quartiles.`;
  console.log(`\n${text}`);
  if (process.argv.includes("--write")) await writeToGuide("docs/speed.md", "bench", text);
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

/** Bundles one of the files of `scripts/bench` for plain Node. */
async function bundle(name: string): Promise<string> {
  const outfile = join(folder, `${name}.mjs`);
  const entryPoints = [join(root, "scripts", "bench", `${name}.ts`)];
  await build({ entryPoints, outfile, bundle: true, platform: "node", format: "esm", target: "node20", alias });
  return outfile;
}

type Contender = "ours" | "rawWithDeadline" | "openapiFetch" | "typescriptFetch" | "heyApi" | "raw";
type Measured = Record<"memory" | "one" | "many", Record<Contender, number>> & { redaction: number };

async function calls(): Promise<string[][]> {
  console.log("Measuring calls");
  const program = await bundle("measure");
  const measure = async (node: string) => JSON.parse((await run(node, [program])).stdout) as Measured;
  const measured = [
    [process.versions.node, await measure(process.execPath)],
    [newerNode, await measure(await cachedNode(newerNode))],
  ] as const;
  const rows = (title: string, kind: "memory" | "one" | "many", target: string) =>
    measured.map(([node, { [kind]: ratios }]) => {
      const cells = (names: readonly Contender[]) => names.map((name) => ratios[name].toFixed(2));
      const peers = cells(["rawWithDeadline", "openapiFetch", "typescriptFetch", "heyApi", "raw"]);
      return [`${title} ÷ raw \`fetch\`, Node ${node.split(".")[0]}`, ...cells(["ours"]), target, ...peers];
    });
  return [
    ...rows("a call in memory", "memory", "≤ 1.6"),
    ...rows("… over loopback, one at a time,", "one", "≤ 1.10"),
    ...rows("… over loopback, 64 at once,", "many", "≤ 1.10"),
    ["hostile text: time for a character of 1 MB ÷ of 64 kB", measured[0][1].redaction.toFixed(2), "≤ 1.2"],
  ];
}

/** From the start of a process to the client, beside one that does nothing. */
async function coldStart(): Promise<string[][]> {
  console.log("Measuring cold starts");
  const ours = `import { bearer, createCustomerTokensClient } from "${join(root, "dist", "index.js")}"; createCustomerTokensClient({ auth: bearer("t") });`;
  const openapiFetch = `import createClient from "${join(root, "node_modules/openapi-fetch/dist/index.mjs")}"; createClient({ baseUrl: "https://idp.example" });`;
  const programs = { nothing: "0", ours, openapiFetch };
  const times: Record<string, number[]> = {};
  for (const [name, program] of Object.entries(programs)) await writeFile(join(folder, `cold-${name}.mjs`), program);
  for (let round = -2; round < 25; round++) {
    for (const name of Object.keys(programs)) {
      const startedAt = performance.now();
      spawnSync(process.execPath, [join(folder, `cold-${name}.mjs`)]);
      if (round >= 0) (times[name] ??= []).push(performance.now() - startedAt);
    }
  }
  const ratio = (name: string) =>
    spread((times[name] ?? []).map((time, round) => time / (times["nothing"]?.[round] ?? NaN)));
  return [["cold: process start to client ÷ an empty program", ratio("ours"), "≤ 1.15", "", ratio("openapiFetch")]];
}

async function bundles(): Promise<string[][]> {
  const size = async (code: string) => {
    const { outputFiles } = await build({
      alias,
      stdin: { contents: code, resolveDir: root, loader: "ts" },
      bundle: true,
      minify: true,
      format: "esm",
      platform: "browser",
      target: "es2022",
      write: false,
    });
    return `${(gzipSync(outputFiles[0]?.contents ?? "", { level: 9 }).length / 1000).toFixed(1)} kB`;
  };
  const bearerOnly = await size(
    'import { bearer, createCustomerTokensClient } from "cybrid-customer-tokens"; console.log(bearer, createCustomerTokensClient);',
  );
  const everything = await size('export * from "cybrid-customer-tokens";');
  const openapiFetch = await size('import createClient from "openapi-fetch"; console.log(createClient);');
  const typescriptFetch = await size(
    'import { Configuration, CustomerTokensIdpApi } from "peers/typescript-fetch"; console.log(Configuration, CustomerTokensIdpApi);',
  );
  const heyApi = await size(
    'import { createCustomerToken } from "peers/hey-api"; import { createClient } from "peers/hey-api-client"; console.log(createClient, createCustomerToken);',
  );
  const peers = ["", openapiFetch, typescriptFetch, heyApi];
  return [
    ["browser bundle, minified and gzipped: `bearer` only", bearerOnly, "≤ 4.0 kB", ...peers],
    ["… with everything", everything, "≤ 5.5 kB"],
  ];
}

async function installed(): Promise<string[][]> {
  const scratch = await mkdtemp(join(tmpdir(), "bench-install-"));
  try {
    const project = join(scratch, "project");
    await install(project, [await pack(scratch)]);
    const entries = await readdir(join(project, "node_modules"), { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    const packages = files.filter((file) => file.name === "package.json").length;
    let bytes = 0;
    for (const file of files) bytes += (await stat(join(file.parentPath, file.name))).size;
    return [["packages installed, and their size", `${packages}, ${(bytes / 1000).toFixed(0)} kB`, "3"]];
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function tokenRequests(): Promise<string[][]> {
  const { oursWithCredentials } = (await import(await bundle("clients"))) as typeof clientsModule;
  const dist = new URL("../dist/emulator.js", import.meta.url).href;
  const { startEmulator } = (await import(dist)) as typeof emulatorModule;
  const emulator = await startEmulator({ algorithm: "RS256" });
  try {
    const call = oursWithCredentials(emulator.url, emulator.client);
    await Promise.all(Array.from({ length: 1000 }, call));
    return [
      [
        "token requests for 1,000 calls at once, cold (one by one: 1,000)",
        String(emulator.counts["/oauth/token"]),
        "1",
      ],
    ];
  } finally {
    await emulator.close();
  }
}

/** Our whole pipeline beside one generator alone, and on larger specs. */
async function pipeline(): Promise<string[][]> {
  console.log("Measuring generate");
  const out = join(folder, "generated");
  const generate = (source: string) =>
    seconds(() =>
      run(process.execPath, ["--import", "tsx/esm", join("scripts", "generate.ts"), "--source", source, "--out", out], {
        cwd: root,
      }),
    );
  const wrapper = fileURLToPath(import.meta.resolve("@openapitools/openapi-generator-cli/main.js"));
  const plain = () =>
    seconds(() =>
      run(process.execPath, [wrapper, "generate", "-g", "typescript-fetch", "-i", spec, "-o", join(folder, "plain")], {
        cwd: root,
        maxBuffer: 1e8,
      }),
    );
  const ratios: number[] = [];
  for (let round = 0; round < 5; round++) ratios.push((await generate(spec)) / (await plain()));
  const scaled: string[] = [];
  const description = parse(await readFile(spec, "utf8")) as Description;
  for (const operations of [10, 100, 1000]) {
    const source = join(folder, `synthetic-${operations}.json`);
    await writeFile(source, JSON.stringify(synthetic(description, operations)));
    scaled.push(`${operations}: ${(await generate(source)).toFixed(1)} s`);
  }
  return [
    ["`generate`, all of it, ÷ a plain `openapi-generator-cli generate`", spread(ratios), "≤ 1.0"],
    ["`generate` by the number of operations", scaled.join(", "), "linear"],
  ];
}

/** The description with its operation, and a schema of its own for it, so many times. */
function synthetic(description: Description, operations: number): Description {
  const { paths, components } = structuredClone(description);
  const { post } = paths["/api/customer_tokens"] ?? {};
  const schema = components.schemas["PostCustomerToken"];
  for (let index = 0; index < operations; index++) {
    components.schemas[`Thing${index}`] = schema;
    const json = { schema: { $ref: `#/components/schemas/Thing${index}` } };
    const requestBody = { content: { "application/json": json } };
    paths[`/api/things_${index}`] = { post: { ...post, operationId: `createThing${index}`, requestBody } };
  }
  return { ...description, paths, components };
}

interface Description {
  paths: Record<string, { post?: object }>;
  components: { schemas: Record<string, unknown> };
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return (performance.now() - startedAt) / 1000;
}

/** The median, and the quartiles around it. */
function spread(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => (sorted[Math.round(share * (sorted.length - 1))] ?? NaN).toFixed(2);
  return `${at(0.5)} [${at(0.25)}–${at(0.75)}]`;
}

await command(main);
