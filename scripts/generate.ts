import { realpath } from "node:fs/promises";
import { dirname, join, resolve as absolute } from "node:path";
import { flag, parseOptions, root, runIfMain, step as timed, text } from "./cli.js";
import { compare, refuseToReplaceOthers, displayPath, swap } from "./generate/files.js";
import { type GeneratorConfig, modelSuffix, readGeneratorConfig } from "./generate/jar.js";
import { startGenerator } from "./generate/openapi-generator.js";
import { modelNames } from "./generate/view.js";
import { fileOf, parseConfig } from "./pull/config.js";
import { checkSpec } from "./spec/check.js";
import { readSpec, readText } from "./spec/read.js";

const help = `Usage: npm run generate -- [OPTION]...

Turns the spec into typed paths, models, constants and reference pages.

  --check        compare with the present files, write nothing, and fail if they differ
  --spec FILE    the spec                     (default: openapi/customer-tokens.yaml)
  --overlay FILE an overlay to apply to it first (default: none)
  --out FOLDER   the output                   (default: generated)
  -h, --help     show this page`;

/** The input and output of a run. Paths are relative to the working directory. */
export interface GenerateOptions {
  /** Default: the project's openapi/customer-tokens.yaml */
  spec?: string | undefined;
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
 * @returns notes for the reader, one sentence each
 * @throws {UserError} with nothing written
 */
export async function generate(
  options: GenerateOptions = {},
  print: (line: string) => void = () => {},
): Promise<string[]> {
  const step = <T>(title: string, work: () => T | Promise<T>): Promise<T> => timed(title, work, print);
  const source = options.spec ?? (await defaultSpec());
  const given = absolute(options.out ?? join(root, "generated"));
  // The target of a link is replaced, not the link.
  const out = await realpath(given).catch(() => given);
  const spec = await step(`Read and check ${displayPath(source)}`, async () => {
    if (!options.check) await refuseToReplaceOthers(out);
    const read = await readSpec(source);
    if (options.overlay === undefined) return read;
    const { readOverlay, applyOverlay } = await import("./pull/overlay.js");
    const overlaid = await applyOverlay(read, await readOverlay(options.overlay));
    checkSpec(overlaid, source);
    return overlaid;
  });
  const config = options.generator ?? (await readGeneratorConfig());
  const { names, clashes: notes } = modelNames(spec, modelSuffix(config));
  // Java is started first: loading the compiler then keeps this process busy for as long as everything else here takes.
  const generator = await startGenerator(spec, names, config);
  const [generated, paths] = await Promise.all([
    step("Generate models and docs with openapi-generator", () => generator.finished),
    step("Generate paths with openapi-typescript", async () => {
      const { typedPaths } = await import("./generate/typed-paths.js");
      return typedPaths(spec);
    }),
  ]);
  const { files, replaced } = await step("Assemble and format", async () => {
    const { assemble } = await import("./generate/assemble.js");
    return assemble(spec, names, paths, generated);
  });
  await step("Check that no text of the spec can run, and type-check", async () => {
    const { inspectCode, inspectDocs } = await import("./generate/inspect.js");
    const { checkTypes } = await import("./generate/type-check.js");
    inspectCode(files);
    inspectDocs(files);
    checkTypes(files);
  });
  if (options.check) await step(`Compare with ${displayPath(out)}`, () => compare(files, out, commandFor(options)));
  else await step(`Write ${displayPath(out)}`, () => swap(files, out));
  return replaced.length === 0 ? notes : [...notes, `models with openapi-typescript's types: ${replaced.join(", ")}`];
}

/** The spec that `pull` writes. */
async function defaultSpec(): Promise<string> {
  const config = join(root, "openapi", "source.json");
  return join(dirname(config), fileOf(parseConfig(await readText(config), config)));
}

/** The command that generates with some options. */
export function commandFor({ spec, overlay, out }: GenerateOptions): string {
  const given = Object.entries({ spec, overlay, out }).filter(([, value]) => value !== undefined);
  const words = given.map(([option, value]) => ` --${option} ${inShell(String(value))}`).join("");
  return `npm run generate${words && ` --${words}`}`;
}

/** A text as one word of a shell's command. */
function inShell(text: string): string {
  return /[^\w./:-]/.test(text) ? `'${text.replaceAll("'", "'\\''")}'` : text;
}

await runIfMain(import.meta.filename, async (args) => {
  // `--source` is another name for `--spec`.
  const given = parseOptions(args, { check: flag, spec: text, source: text, overlay: text, out: text }, help);
  if (given === undefined) return;
  const { source, spec = source, ...options } = given.values;
  for (const note of await generate({ ...options, spec }, console.log)) console.log(note);
});
