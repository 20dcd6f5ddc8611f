import { mkdir, mkdtemp, readdir, readFile, realpath, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative, resolve as absolute, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Listr } from "listr2";
import { command, UserError } from "./command.js";
import { code, generatorView, insertTypes } from "./generate/generator-view.js";
import { ensureJar, type GeneratorConfig, readGeneratorConfig, startJar } from "./generate/jar.js";
import { checkSpec, readSpec } from "./spec/check.js";
import { isObject, unescapeStep } from "./spec/json.js";
import { readText } from "./spec/parse.js";
import type { OpenApi } from "./spec/json.js";
import type { TypedPaths } from "./generate/typed-paths.js";
import packageJson from "../package.json" with { type: "json" };

const help = `usage: npm run generate -- [options]

Turns the spec into typed paths, models, constants and reference pages.

  --check        compare with what is there, write nothing, and fail where it differs
  --source FILE  the spec                     (default: openapi/customer-tokens.yaml)
  --overlay FILE an overlay to apply to it first
  --out FOLDER   where to write               (default: generated)
`;

const root = fileURLToPath(new URL("../", import.meta.url));
const header = "// Generated from the spec by `npm run generate`. Do not edit.\n\n";

const timer = {
  condition: true,
  field: (durationMs: number) => `${(durationMs / 1000).toFixed(1)} s`,
  format: () => (text?: string) => text ?? "",
};

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
  paths: TypedPaths;
  models: ModelsAndDocs;
  files: Map<string, string>;
}

/**
 * Generates: all or nothing. Every file is made, formatted, inspected and type-checked in memory and in a scratch folder
 * before the first one is written.
 *
 * @throws {UserError} with nothing written
 */
export async function generate(options: GenerateOptions = {}, renderer: "live" | "silent" = "silent"): Promise<void> {
  const source = options.source ?? join(root, "openapi", "customer-tokens.yaml");
  const given = absolute(options.out ?? join(root, "generated"));
  // What a link leads to is replaced, not the link.
  const out = await realpath(given).catch(() => given);
  const work = { files: new Map<string, string>() } as Work;
  const steps = new Listr<Work, "default" | "silent", "simple">(
    [
      {
        title: `Read and check ${shown(source)}`,
        task: async () => {
          if (!options.check) await refuseToReplaceOthers(out);
          work.spec = await readSource(source, options.overlay);
        },
      },
      {
        title: "Generate",
        task: async (_, task) => {
          // Java is started before this process is kept busy by the compiler, which takes as long to load as all else here.
          const models = await startModelsAndDocs(work.spec, options.generator ?? (await readGeneratorConfig()));
          // Alone, since Node 20 may stumble over a `require` of ES modules while others are being imported.
          const { typedPaths } = await import("./generate/typed-paths.js");
          return task.newListr(
            [
              {
                title: "models and docs by openapi-generator",
                task: async () => {
                  work.models = await models.finished;
                },
              },
              {
                title: "paths by openapi-typescript",
                task: async () => {
                  work.paths = await typedPaths(work.spec);
                  await add(work.files, "paths.ts", work.paths.text);
                },
              },
              {
                title: "environments and the spec as data",
                task: async () => {
                  await add(work.files, "environments.ts", environments(work.spec));
                  await add(work.files, "spec.ts", specAsData(work.spec));
                },
              },
            ],
            { concurrent: true, exitOnError: true },
          );
        },
      },
      {
        title: "Put together and format",
        task: async () => {
          for (const [path, text] of withTypes(work.models, work.paths)) await add(work.files, path, text);
        },
      },
      {
        title: "Inspect: nothing of the spec may run",
        task: async () => {
          const { inspectCode, inspectDocs } = await import("./generate/inspect.js");
          inspectCode(work.files);
          inspectDocs(work.files);
        },
      },
      {
        title: "Type-check, and compare the two generators",
        task: async () => {
          const { checkTypes } = await import("./generate/inspect.js");
          checkTypes(work.files, work.models.proof);
        },
      },
      options.check
        ? { title: `Compare with ${shown(out)}`, task: () => compare(work.files, out) }
        : { title: `Write ${shown(out)}`, task: () => swap(work.files, out) },
    ],
    {
      ctx: work,
      renderer: renderer === "live" ? "default" : "silent",
      rendererOptions: { collapseSubtasks: false, timer },
      fallbackRenderer: "simple",
      // Some terminals do not say how wide they are.
      fallbackRendererCondition: () => renderer === "live" && !(process.stdout.isTTY && process.stdout.columns > 0),
      fallbackRendererOptions: { timer },
    },
  );
  await steps.run();
}

function shown(path: string): string {
  const short = relative(process.cwd(), path);
  return short === "" || short.startsWith("..") ? path : short;
}

async function readSource(path: string, overlayPath: string | undefined): Promise<OpenApi> {
  const spec = await readSpec(path);
  if (overlayPath === undefined) return spec;
  const { applyOverlay, parseOverlay } = await import("./pull/overlay.js");
  const overlaid = await applyOverlay(spec, parseOverlay(await readText(overlayPath), overlayPath));
  checkSpec(overlaid, path);
  return overlaid;
}

/** The servers that the spec names environments. */
export function environments(spec: OpenApi): string {
  const servers = Array.isArray(spec["servers"]) ? spec["servers"].filter(isObject) : [];
  // Paths are put behind it, and begin with a slash of their own.
  const named = servers.flatMap(({ "x-environment": name, url }) =>
    typeof name === "string" ? [[name, String(url).replace(/\/+$/, "")] as const] : [],
  );
  return `/** The servers of the spec, by the name of their environment. */
export const environments = ${JSON.stringify(Object.fromEntries(named))} as const;`;
}

/** The spec without upstream's version, which must change nothing that is generated. */
export function specAsData(spec: OpenApi): string {
  const info = { ...(isObject(spec["info"]) ? spec["info"] : {}), version: "1" };
  return `/** The spec, for what speaks it. */
export const spec = ${JSON.stringify({ ...spec, info })} as const;`;
}

/** What openapi-generator makes of a spec. */
export interface ModelsAndDocs {
  /** Text by path, with markers in the place of types that openapi-typescript knows better. */
  files: Map<string, string>;
  /** A module that compares each model with openapi-typescript's type of the same schema. */
  proof: string;
}

/** Starts openapi-generator in a folder of its own; takes from there what is wanted when it is finished. */
export async function startModelsAndDocs(
  spec: OpenApi,
  config: GeneratorConfig,
): Promise<{ finished: Promise<ModelsAndDocs> }> {
  const jar = await ensureJar(config);
  const { inputSpec: _input, output: _output, ...settings } = config.generators["models-and-docs"] ?? {};
  const scratch = await mkdtemp(join(tmpdir(), "cybrid-generate-"));
  const input = join(scratch, "spec.json");
  const output = join(scratch, "out");
  const configPath = join(scratch, "config.json");
  const remove = (): Promise<void> => rm(scratch, { recursive: true, force: true });
  try {
    await writeFile(input, JSON.stringify(generatorView(spec, await examples())));
    const templateDir = absolute(root, String(settings["templateDir"]));
    await writeFile(configPath, JSON.stringify({ ...settings, templateDir }));
    const generator = await startJar(jar, ["generate", "-c", configPath, "-i", input, "-o", output]);
    const finished = generator.finished.then(() => collect(spec, output)).finally(remove);
    // It may fail before anybody waits for it.
    finished.catch(() => {});
    return { finished };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** @throws {UserError} where something is missing: the generator ends with status 0 whatever it leaves out */
async function collect(spec: OpenApi, output: string): Promise<ModelsAndDocs> {
  const found = await readTree(output);
  const files = new Map([...found].filter(([path]) => /^(?:models\/.*\.ts|docs\/.*\.md)$/.test(path)));
  const proof = found.get("agreement.ts") ?? "";
  const components = isObject(spec["components"]) ? spec["components"] : {};
  const schemas = isObject(components["schemas"]) ? Object.keys(components["schemas"]).length : 0;
  // Without schemas the generator writes no index of models; it stays, for what imports it.
  if (schemas === 0) files.set("models/index.ts", "export {};");
  const models = [...files.keys()].filter((path) => path.startsWith("models/") && path !== "models/index.ts").length;
  const compared = proof.match(/^export const /gm)?.length ?? 0;
  const pages = [...files.keys()].filter((path) => /^docs\/.*IdpApi\.md$/.test(path)).length;
  const hasPaths = isObject(spec["paths"]) && Object.keys(spec["paths"]).length > 0;
  if (models < schemas || compared < schemas || (hasPaths && pages === 0)) {
    throw new UserError(
      `openapi-generator made ${models} models and ${pages} pages of operations for ${schemas} schemas: two schemas may have names that differ in their case or punctuation alone`,
    );
  }
  return { files, proof };
}

/** The schema that each model is compared with, by the model's name. */
function comparisons(proof: string): Map<string, string> {
  const lines = proof.matchAll(/^export const (\w+): .*\["schemas"\]\[(".*?")\]/gm);
  return new Map([...lines].map(([, model = "", schema = '""']) => [model, JSON.parse(schema) as string]));
}

/** Puts openapi-typescript's types in the place of their markers. */
export function withTypes({ files, proof }: ModelsAndDocs, { typeAt }: TypedPaths): Map<string, string> {
  const models = new Map([...comparisons(proof)].map(([model, schema]) => [schema, model]));
  return new Map(
    [...files].map(([path, text]) => [
      path,
      path.endsWith(".ts") ? codeWithTypes(text, typeAt) : docWithTypes(text, typeAt, models),
    ]),
  );
}

function codeWithTypes(text: string, typeAt: TypedPaths["typeAt"]): string {
  let needsComponents = false;
  const whole = insertTypes(text, (place, isRef) => {
    const found = isRef ? undefined : typeAt(place);
    if (found?.isWhole) {
      needsComponents ||= found.usesComponents;
      return found.type;
    }
    needsComponents = true;
    const [schema = "", ...property] = place.split("/").slice(3).map(unescapeStep);
    const type = `components["schemas"][${JSON.stringify(schema)}]`;
    return property.length === 0 ? type : `Exclude<${type}[${JSON.stringify(property.join("/"))}], undefined>`;
  });
  return needsComponents ? `import type { components } from "../paths.js";\n${whole}` : whole;
}

function docWithTypes(text: string, typeAt: TypedPaths["typeAt"], models: ReadonlyMap<string, string>): string {
  const lines = text.split("\n").map((line) =>
    insertTypes(line, (place, isRef) => {
      const model = models.get(unescapeStep(place.split("/").at(-1) ?? ""));
      if (isRef && model !== undefined) return `[\`${model}\`](${model}.md)`;
      const type = (typeAt(place)?.type ?? "unknown").replace(
        /components\["schemas"\]\["([\w.-]+)"\]/g,
        (reference, schema: string) => models.get(schema) ?? reference,
      );
      const [, item] = /^(\w+)\[\]$/.exec(type) ?? [];
      const span = code(type.length > 300 ? `${type.slice(0, 299)}…` : type);
      const shownType = line.startsWith("|") ? span.replaceAll("|", "\\|") : span;
      return item !== undefined && [...models.values()].includes(item) ? `[${shownType}](${item}.md)` : shownType;
    }),
  );
  return lines.join("\n");
}

/** The hand-written examples that documentation shows, by operationId. */
async function examples(): Promise<Map<string, string>> {
  const folder = new URL("examples/", import.meta.url);
  const names = await readdir(folder);
  return new Map(
    await Promise.all(
      names.map(async (name) => [basename(name, ".ts"), await readFile(new URL(name, folder), "utf8")] as const),
    ),
  );
}

async function add(files: Map<string, string>, path: string, text: string): Promise<void> {
  files.set(path, await formatted(path, text));
}

/** A file as it is written: TypeScript by prettier, Markdown without the gaps that its template leaves. */
export async function formatted(path: string, text: string): Promise<string> {
  if (!path.endsWith(".ts")) return `${text.trim().replace(/\n{3,}/g, "\n\n")}\n`;
  // The whole of prettier takes twice as long to load and run, and writes the same.
  const [{ format }, ...plugins] = await Promise.all([
    import("prettier/standalone"),
    import("prettier/plugins/typescript"),
    import("prettier/plugins/estree"),
  ]);
  try {
    return await format(header + text, { ...packageJson.prettier, parser: "typescript", plugins });
  } catch (error) {
    const [reason] = String(error instanceof Error ? error.message : error).split("\n");
    throw new UserError(`generated/${path} cannot be parsed: ${reason}`);
  }
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

/** @throws {UserError} that lists what differs, and the command that mends it */
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
  throw new UserError(
    `${shown(out)} is not what the spec gives:${list}\nrun \`npm run generate\` and commit the result`,
  );
}

/** Refuses to write to a folder that holds other things, since all of it is replaced. */
async function refuseToReplaceOthers(out: string): Promise<void> {
  const names = await readdir(out).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw new UserError(`${shown(out)} is no folder that can be read`);
  });
  const paths = await readFile(join(out, "paths.ts"), "utf8").catch(() => "");
  // Other folders have models and docs, too.
  const own = paths.startsWith(header) ? ["docs", "environments.ts", "models", "paths.ts", "spec.ts"] : [];
  const other = names.find((name) => !own.includes(name));
  if (other !== undefined) {
    throw new UserError(
      `${shown(out)} holds ${other}, which is not generated and would be lost: choose another folder`,
    );
  }
}

/** Puts a full folder in the place of the old one, by renaming. */
async function swap(files: ReadonlyMap<string, string>, out: string): Promise<void> {
  await mkdir(dirname(out), { recursive: true });
  await recover(out);
  // Beside the target, since a rename works within one file system only.
  const scratch = await mkdtemp(join(dirname(out), `.${basename(out)}-${process.pid}-`));
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

/** Clears up after runs that were killed while they wrote; the old folder is put back where it has no successor. */
export async function recover(out: string): Promise<void> {
  const prefix = `.${basename(out)}-`;
  for (const name of await readdir(dirname(out))) {
    const [pid] = name.startsWith(prefix) ? (/^\d+(?=-)/.exec(name.slice(prefix.length)) ?? []) : [];
    if (pid === undefined || isRunning(Number(pid))) continue;
    const scratch = join(dirname(out), name);
    const hasOut = await readdir(out).then(
      () => true,
      () => false,
    );
    if (!hasOut) await rename(join(scratch, "old"), out).catch(() => {});
    await rm(scratch, { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
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
    throw new UserError(`${error instanceof Error ? error.message : String(error)}; see --help`);
  }
}

if (absolute(process.argv[1] ?? "") === import.meta.filename) await command(() => main(process.argv.slice(2)));
