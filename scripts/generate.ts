import { realpath } from "node:fs/promises";
import { join, resolve as absolute } from "node:path";
import { command, parseOptions, root, step as timed } from "./command.js";
import { compare, refuseToReplaceOthers, shown, swap } from "./generate/files.js";
import { type GeneratorConfig, readGeneratorConfig } from "./generate/jar.js";
import { startGenerator } from "./generate/openapi-generator.js";
import { modelNames } from "./generate/view.js";
import { checkSpec, readSpec } from "./spec/check.js";
import { readText } from "./spec/parse.js";
import type { OpenApi } from "./spec/json.js";

const help = `Usage: npm run generate -- [OPTION]...

Turns the spec into typed paths, models, constants and reference pages.

  --check        compare with what is there, write nothing, and fail where it differs
  --source FILE  the spec                     (default: openapi/customer-tokens.yaml)
  --overlay FILE an overlay to apply to it first (default: none)
  --out FOLDER   where to write               (default: generated)
  -h, --help     show this page`;

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

/**
 * Generates: all or nothing. Every file is made, formatted, inspected and type-checked in memory and in a scratch folder
 * before the first one is written.
 *
 * @param print gets a line for each step, with its time
 * @returns what the reader should know of the outcome, one sentence each
 * @throws {UserError} with nothing written
 */
export async function generate(
  options: GenerateOptions = {},
  print: (line: string) => void = () => {},
): Promise<string[]> {
  const step = <T>(title: string, work: () => T | Promise<T>): Promise<T> => timed(title, work, print);
  const source = options.source ?? join(root, "openapi", "customer-tokens.yaml");
  const given = absolute(options.out ?? join(root, "generated"));
  // What a link leads to is replaced, not the link.
  const out = await realpath(given).catch(() => given);
  const spec = await step(`Read and check ${shown(source)}`, async () => {
    if (!options.check) await refuseToReplaceOthers(out);
    return readSource(source, options.overlay);
  });
  const { names, alike } = modelNames(spec);
  // Java is started before this process is kept busy by the compiler, which takes as long to load as all else here.
  const generator = await startGenerator(spec, names, options.generator ?? (await readGeneratorConfig()));
  const [generated, paths] = await Promise.all([
    step("Generate models and docs by openapi-generator", () => generator.finished),
    step("Generate paths by openapi-typescript", async () => {
      const { typedPaths } = await import("./generate/typed-paths.js");
      return typedPaths(spec);
    }),
  ]);
  const { files, aliases } = await step("Put together, and format", async () => {
    const { putTogether } = await import("./generate/modules.js");
    return putTogether(spec, names, paths, generated);
  });
  await step("Inspect, since nothing of the spec may run, and type-check", async () => {
    const { inspectCode, inspectDocs } = await import("./generate/inspect.js");
    const { checkTypes } = await import("./generate/type-check.js");
    inspectCode(files);
    inspectDocs(files);
    checkTypes(files);
  });
  if (options.check) await step(`Compare with ${shown(out)}`, () => compare(files, out));
  else await step(`Write ${shown(out)}`, () => swap(files, out));
  return aliases.length === 0 ? alike : [...alike, `aliases of openapi-typescript's types: ${aliases.join(", ")}`];
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
  const { values: options } = parseOptions({
    args,
    options: {
      check: { type: "boolean", default: false },
      source: { type: "string" },
      overlay: { type: "string" },
      out: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (options.help) return console.log(help);
  for (const note of await generate(options, console.log)) console.log(note);
}

if (absolute(process.argv[1] ?? "") === import.meta.filename) await command(() => main(process.argv.slice(2)));
