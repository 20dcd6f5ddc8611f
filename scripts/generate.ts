import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative, resolve as absolute, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Listr, PRESET_TIMER } from "listr2";
import openapiTypescript, { astToString } from "openapi-typescript";
import { format, resolveConfig } from "prettier";
import { command, Refusal } from "./command.js";
import { generatorView } from "./generator-view.js";
import { checkTypes, inspectCode, inspectDocs } from "./inspect.js";
import { ensureJar, type GeneratorConfig, readGeneratorConfig, runJar } from "./jar.js";
import { applyOverlay, parseOverlay } from "./slice.js";
import { checkSpec, isObject, readSpec, readText } from "./spec.js";
import type { OpenApi } from "./spec.js";

const help = `usage: npm run generate -- [options]

Turns the spec into typed paths, models, constants and reference pages.

  --check        compare with what is there, write nothing, and fail where it differs
  --source FILE  the spec                     (default: openapi/customer-tokens.yaml)
  --overlay FILE an overlay to apply to it first
  --out FOLDER   where to write               (default: generated)
`;

const root = fileURLToPath(new URL("../", import.meta.url));
const header = "// Generated from the spec by `npm run generate`. Do not edit.\n\n";

/** What to generate from, and where to. Paths are relative to the working directory. */
export interface GenerateOptions {
  /** Default: the project's openapi/customer-tokens.yaml */
  source?: string | undefined;
  overlay?: string | undefined;
  /** Default: the project's generated folder. */
  out?: string | undefined;
  /** Whether to compare instead of writing. Default: false */
  check?: boolean | undefined;
  /** Default: the project's openapitools.json */
  generator?: GeneratorConfig | undefined;
}

interface Work {
  spec: OpenApi;
  files: Map<string, string>;
  proof: string;
}

/**
 * Generates: all or nothing. Every file is made, formatted, inspected and type-checked in memory and in a scratch folder
 * before the first one is written.
 *
 * @throws {Refusal} with nothing written
 */
export async function generate(options: GenerateOptions = {}, renderer: "live" | "silent" = "silent"): Promise<void> {
  const source = options.source ?? join(root, "openapi", "customer-tokens.yaml");
  const out = absolute(options.out ?? join(root, "generated"));
  const work: Work = { spec: { openapi: "" }, files: new Map(), proof: "" };
  const steps = new Listr<Work, "default" | "silent", "simple">(
    [
      {
        title: `Read and check ${shown(source)}`,
        task: async () => {
          work.spec = await readSource(source, options.overlay);
        },
      },
      {
        title: "Generate",
        task: (_, task) =>
          task.newListr(
            [
              {
                title: "paths by openapi-typescript",
                task: async () => {
                  work.files.set("paths.ts", await typedPaths(work.spec));
                },
              },
              {
                title: "models and docs by openapi-generator",
                task: async () => {
                  const made = await modelsAndDocs(work.spec, options.generator ?? (await readGeneratorConfig()));
                  work.proof = made.proof;
                  for (const [path, text] of made.files) work.files.set(path, text);
                },
              },
              {
                title: "environments and the spec as data",
                task: () => {
                  work.files.set("environments.ts", environments(work.spec));
                  work.files.set("spec.ts", specAsData(work.spec));
                },
              },
            ],
            { concurrent: true, exitOnError: true },
          ),
      },
      {
        title: "Format by prettier",
        task: async () => {
          work.files = await formatted(work.files);
        },
      },
      {
        title: "Inspect: nothing of the spec may run",
        task: () => {
          inspectCode(work.files);
          inspectDocs(work.files);
        },
      },
      {
        title: "Type-check, and compare the two generators",
        task: () => checkTypes(work.files, work.proof),
      },
      options.check
        ? { title: `Compare with ${shown(out)}`, task: () => compare(work.files, out) }
        : { title: `Write ${shown(out)}`, task: () => swap(work.files, out) },
    ],
    {
      ctx: work,
      renderer: renderer === "live" ? "default" : "silent",
      rendererOptions: { collapseSubtasks: false, timer: PRESET_TIMER },
      fallbackRenderer: "simple",
      fallbackRendererCondition: () => renderer === "live" && !process.stdout.isTTY,
      fallbackRendererOptions: { timer: PRESET_TIMER },
    },
  );
  await steps.run();
}

function shown(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith("..") ? path : short;
}

async function readSource(path: string, overlayPath: string | undefined): Promise<OpenApi> {
  const spec = await readSpec(path);
  if (overlayPath === undefined) return spec;
  const overlaid = await applyOverlay(spec, parseOverlay(await readText(overlayPath), overlayPath));
  checkSpec(overlaid, path);
  return overlaid;
}

async function typedPaths(spec: OpenApi): Promise<string> {
  // A property with a default may still be left out of a request.
  const ast = await openapiTypescript(JSON.stringify(spec), { defaultNonNullable: false, silent: true });
  return astToString(ast);
}

function environments(spec: OpenApi): string {
  const servers = Array.isArray(spec["servers"]) ? spec["servers"].filter(isObject) : [];
  const named = servers.flatMap((server) =>
    typeof server["x-environment"] === "string" ? [[server["x-environment"], server["url"]] as const] : [],
  );
  return `/** The servers of the spec, by the name of their environment. */
export const environments = ${JSON.stringify(Object.fromEntries(named))} as const;`;
}

/** The spec without upstream's version, which must change nothing that is generated. */
function specAsData(spec: OpenApi): string {
  const info = { ...(isObject(spec["info"]) ? spec["info"] : {}), version: "1" };
  return `/** The spec, for what speaks it. */
export const spec = ${JSON.stringify({ ...spec, info })} as const;`;
}

/** Runs openapi-generator in a folder of its own, and takes from there what is wanted. */
async function modelsAndDocs(
  spec: OpenApi,
  config: GeneratorConfig,
): Promise<{ files: Map<string, string>; proof: string }> {
  const jar = await ensureJar(config);
  const { inputSpec: _input, output: _output, ...settings } = config.generators["models-and-docs"] ?? {};
  const scratch = await mkdtemp(join(tmpdir(), "cybrid-generate-"));
  try {
    const input = join(scratch, "spec.json");
    const output = join(scratch, "out");
    const configPath = join(scratch, "config.json");
    await writeFile(input, JSON.stringify(generatorView(spec, await examples())));
    const templateDir = absolute(root, String(settings["templateDir"]));
    await writeFile(configPath, JSON.stringify({ ...settings, templateDir }));
    await runJar(jar, ["generate", "-c", configPath, "-i", input, "-o", output]);

    const found = await readTree(output);
    const files = new Map([...found].filter(([path]) => /^(?:models\/.*\.ts|docs\/.*\.md)$/.test(path)));
    const proof = found.get("agreement.ts") ?? "";
    // The generator ends with status 0 whatever it leaves out.
    const models = [...files.keys()].filter((path) => path.startsWith("models/") && path !== "models/index.ts").length;
    const compared = proof.match(/^export const /gm)?.length ?? 0;
    const operations = [...files.keys()].filter((path) => /^docs\/.*IdpApi\.md$/.test(path)).length;
    const schemas = Object.keys(
      (isObject(spec["components"]) && isObject(spec["components"]["schemas"]) && spec["components"]["schemas"]) || {},
    ).length;
    if (models < schemas || compared < schemas || operations === 0) {
      throw new Refusal(
        `openapi-generator made ${models} models and ${operations} pages of operations for ${schemas} schemas: two schemas may have names that differ in their case or punctuation alone`,
      );
    }
    return { files, proof };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** The hand-written examples that documentation shows, by operationId. */
async function examples(): Promise<Map<string, string>> {
  const folder = new URL("examples/", import.meta.url);
  const names = await readdir(folder);
  return new Map(names.map((name) => [basename(name, ".ts"), readFileSync(new URL(name, folder), "utf8")]));
}

async function formatted(files: ReadonlyMap<string, string>): Promise<Map<string, string>> {
  const config = await resolveConfig(join(root, "package.json"));
  const entries = await Promise.all(
    [...files].map(async ([path, text]) => {
      const isCode = path.endsWith(".ts");
      const full = isCode ? header + text : text;
      try {
        return [path, await format(full, { ...config, parser: isCode ? "typescript" : "markdown" })] as const;
      } catch (error) {
        const reason = String(error instanceof Error ? error.message : error).split("\n")[0];
        throw new Refusal(`generated/${path} cannot be parsed: ${reason}`);
      }
    }),
  );
  return new Map(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Every file below a folder by its path, with `/`; empty where there is no folder. */
async function readTree(folder: string): Promise<Map<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => !entry.isDirectory());
  return new Map(
    await Promise.all(
      files.map(async (entry) => {
        const path = join(entry.parentPath, entry.name);
        return [relative(folder, path).split(sep).join("/"), await readFile(path, "utf8")] as const;
      }),
    ),
  );
}

/** @throws {Refusal} that lists what differs, and the command that mends it */
async function compare(files: ReadonlyMap<string, string>, out: string): Promise<void> {
  const there = await readTree(out);
  const differences = [
    ...[...files]
      .filter(([path, text]) => there.has(path) && there.get(path) !== text)
      .map(([path]) => `changed: ${path}`),
    ...[...files.keys()].filter((path) => !there.has(path)).map((path) => `missing: ${path}`),
    ...[...there.keys()].filter((path) => !files.has(path)).map((path) => `extra:   ${path}`),
  ];
  if (differences.length === 0) return;
  const list = differences.map((difference) => `\n  ${difference}`).join("");
  throw new Refusal(`${shown(out)} is not what the spec gives:${list}\nrun \`npm run generate\` and commit the result`);
}

/** Puts a full folder in the place of the old one, by renaming. */
async function swap(files: ReadonlyMap<string, string>, out: string): Promise<void> {
  await mkdir(dirname(out), { recursive: true });
  // Beside the target, since a rename works within one file system only.
  const scratch = await mkdtemp(join(dirname(out), `.${basename(out)}-`));
  try {
    const fresh = join(scratch, "new");
    for (const [path, text] of files) {
      await mkdir(dirname(join(fresh, path)), { recursive: true });
      await writeFile(join(fresh, path), text);
    }
    const old = join(scratch, "old");
    const replaced = await rename(out, old).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return false;
        throw error;
      },
    );
    try {
      await rename(fresh, out);
    } catch (error) {
      if (replaced) await rename(old, out);
      throw error;
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

export async function main(args: string[]): Promise<void> {
  const options = parse(args);
  if (options.help) return console.log(help);
  await generate(options, "live");
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        check: { type: "boolean", default: false },
        source: { type: "string" },
        overlay: { type: "string" },
        out: { type: "string" },
        help: { type: "boolean", short: "h", default: false },
      },
    }).values;
  } catch (error) {
    throw new Refusal(`${error instanceof Error ? error.message : String(error)}; see --help`);
  }
}

if (absolute(process.argv[1] ?? "") === import.meta.filename) await command(() => main(process.argv.slice(2)));
