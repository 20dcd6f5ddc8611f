import { realpath } from "node:fs/promises";
import { join, resolve as absolute } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Listr } from "listr2";
import { command, UserError } from "./command.js";
import { compare, refuseToReplaceOthers, shown, swap } from "./generate/files.js";
import { type GeneratorConfig, readGeneratorConfig } from "./generate/jar.js";
import { type Generated, startGenerator } from "./generate/openapi-generator.js";
import { modelNames } from "./generate/view.js";
import { checkSpec, readSpec } from "./spec/check.js";
import { readText } from "./spec/parse.js";
import type { OpenApi } from "./spec/json.js";

const help = `usage: npm run generate -- [options]

Turns the spec into typed paths, models, constants and reference pages.

  --check        compare with what is there, write nothing, and fail where it differs
  --source FILE  the spec                     (default: openapi/customer-tokens.yaml)
  --overlay FILE an overlay to apply to it first
  --out FOLDER   where to write               (default: generated)
`;

const root = fileURLToPath(new URL("../", import.meta.url));

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
  /** The name of each schema's model. */
  names: ReadonlyMap<string, string>;
  paths: string;
  generated: Generated;
  files: Map<string, string>;
  notes: string[];
}

/**
 * Generates: all or nothing. Every file is made, formatted, inspected and type-checked in memory and in a scratch folder
 * before the first one is written.
 *
 * @returns what the reader should know of the outcome, one sentence each
 * @throws {UserError} with nothing written
 */
export async function generate(
  options: GenerateOptions = {},
  renderer: "live" | "silent" = "silent",
): Promise<string[]> {
  const source = options.source ?? join(root, "openapi", "customer-tokens.yaml");
  const given = absolute(options.out ?? join(root, "generated"));
  // What a link leads to is replaced, not the link.
  const out = await realpath(given).catch(() => given);
  const work = { notes: [] as string[] } as Work;
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
          const { names, alike } = modelNames(work.spec);
          work.names = names;
          work.notes.push(...alike);
          // Java is started before this process is kept busy by the compiler, which takes as long to load as all else here.
          const generator = await startGenerator(work.spec, names, options.generator ?? (await readGeneratorConfig()));
          // Alone, since Node 20 may stumble over a `require` of ES modules while others are being imported.
          const { typedPaths } = await import("./generate/typed-paths.js");
          return task.newListr(
            [
              {
                title: "models and docs by openapi-generator",
                task: async () => {
                  work.generated = await generator.finished;
                },
              },
              {
                title: "paths by openapi-typescript",
                task: async () => {
                  work.paths = await typedPaths(work.spec);
                },
              },
            ],
            { concurrent: true, exitOnError: true },
          );
        },
      },
      {
        title: "Inspect: nothing of the spec may run",
        task: async () => {
          const { inspectCode } = await import("./generate/inspect.js");
          inspectCode(new Map([["models/index.ts", work.generated.models]]));
        },
      },
      {
        title: "Put together, and format",
        task: async () => {
          const { putTogether } = await import("./generate/modules.js");
          const { files, aliases } = await putTogether(work.spec, work.names, work.paths, work.generated);
          work.files = files;
          if (aliases.length > 0) work.notes.push(`aliases of openapi-typescript's types: ${aliases.join(", ")}`);
        },
      },
      {
        title: "Inspect again, and type-check",
        task: async () => {
          const { checkTypes, inspectCode, inspectDocs } = await import("./generate/inspect.js");
          inspectCode(work.files);
          inspectDocs(work.files);
          checkTypes(work.files);
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
  return work.notes;
}

async function readSource(path: string, overlayPath: string | undefined): Promise<OpenApi> {
  const spec = await readSpec(path);
  if (overlayPath === undefined) return spec;
  const { applyOverlay, parseOverlay } = await import("./pull/overlay.js");
  const overlaid = await applyOverlay(spec, parseOverlay(await readText(overlayPath), overlayPath));
  checkSpec(overlaid, path);
  return overlaid;
}

export async function main(args: string[]): Promise<void> {
  const options = parse(args);
  if (options.help) return console.log(help);
  for (const note of await generate(options, "live")) console.log(note);
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
