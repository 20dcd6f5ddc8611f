import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { realpath, rename, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve as absolute } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { UserError, flag, parseOptions, runIfMain, text } from "./cli.js";
import { type Config, fileOf, parseConfig } from "./pull/config.js";
import { displayUrl, download } from "./pull/download.js";
import { notes } from "./pull/notes.js";
import { slice } from "./pull/slice.js";
import { prettify } from "./prettify.js";
import { withScratch } from "./scratch.js";
import { checkSpec } from "./spec/check.js";
import { readExactSpec, decode, readBytes, readText } from "./spec/read.js";
import { parseSpec } from "./spec/parse.js";
import { getIn } from "./spec/json.js";
import { verdictMarkdown, verdictText } from "./verdict/report.js";
import type { Verdict } from "./verdict/verdict.js";

const help = `Usage: npm run pull -- [URL or FILE] [OPTION]...

Takes the provider's whole description, keeps the operations that source.json lists, adds the overlay, writes
customer-tokens.yaml and source.json, and says what changed.

  URL or FILE       the whole description, YAML or JSON; "-" reads standard input
                                                         (default: the url in source.json)
  --config FILE     its URL and the operations to keep   (default: openapi/source.json)
  --overlay FILE    changes to apply to it               (default: overlay.yaml in the folder of --config, if there)
  --out FILE|FOLDER the output; source.json goes into the same folder
                                                         (default: the folder of --config, and the name in it,
                                                         customer-tokens.yaml if it has none)
  --dry-run         write nothing
  --json            print the verdict as JSON
  --markdown        print the verdict as Markdown
  -h, --help        show this page`;

/** The input and output of a pull. Paths are relative to the working directory. */
export interface PullOptions {
  /** A URL, a file, or "-" for standard input. Default: the url in the config. */
  from?: string | undefined;
  /** Default: openapi/source.json */
  config?: string | undefined;
  /** Default: overlay.yaml in the folder of the config, if it is there. */
  overlay?: string | undefined;
  /** A file, or a folder. Default: the folder of the config. */
  out?: string | undefined;
  /** Whether nothing is to be written. Default: false */
  dryRun?: boolean | undefined;
}

/** The result of a pull. */
export interface Pulled {
  verdict: Verdict;
  /** Notes for the reviewer in addition to the verdict, a sentence each. */
  notes: string[];
  /** The files that changed, or would. */
  written: string[];
}

/**
 * Pulls: reads upstream's description, slices it, adds the overlay, compares it with the present one and writes both
 * files. Throws {@link UserError}; no file is touched then.
 */
export async function pull(options: PullOptions = {}): Promise<Pulled> {
  const configPath = options.config ?? join("openapi", "source.json");
  const config = parseConfig(await readText(configPath), configPath);
  const besideConfig = join(dirname(configPath), "overlay.yaml");
  const overlayPath = options.overlay ?? (existsSync(besideConfig) ? besideConfig : undefined);
  // Loaded here, so that the help page does not wait for these libraries.
  const { applyOverlay, readOverlay } = await import("./pull/overlay.js");
  const overlay = overlayPath === undefined ? undefined : await readOverlay(overlayPath);

  const out = await outPath(options.out ?? dirname(configPath), fileOf(config));
  const statePath = join(dirname(out), basename(configPath));
  const given = options.from ?? config.url;
  const read = [overlayPath, isUrl(given) ? undefined : given];
  await refuseSameFile(out, [statePath, configPath, ...read]);
  await refuseSameFile(statePath, read);

  const { bytes, name } = await upstream(given);
  const whole = parseSpec(decode(bytes, name), name);
  const found: string[] = [];
  const kept = slice(whole, config.operationIds, name, (note) => found.push(note));
  const spec = overlay === undefined ? kept : await applyOverlay(kept, overlay);
  try {
    checkSpec(spec, name);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const hint = error.message.includes("`npx") ? "" : `; fix it with an action in ${overlayPath ?? besideConfig}`;
    throw new UserError(error.message + hint);
  }
  const { render } = await import("./pull/render.js");
  const text = await render(spec);
  // The text must parse to exactly the description that was checked, whatever the formatters do.
  const written = parseSpec(text, name);
  if (!isDeepStrictEqual(written, spec)) throw new Error("the text differs from what was checked");

  const version = String(getIn(whole, ["info", "version"]) ?? "unknown");
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const state = await prettify(JSON.stringify({ ...config, version, sha256 } satisfies Config), "json");
  const from = existsSync(statePath) ? parseConfig(await readText(statePath), statePath).version : null;
  const before = existsSync(out) ? await readExactSpec(out) : undefined;
  const { compareSpecs } = await import("./verdict/verdict.js");
  const verdict = before
    ? await compareSpecs(before, written, { from: from ?? "unknown", to: version })
    : firstVerdict(version);

  const changed = Object.entries({ [out]: text, [statePath]: state }).filter(
    ([path, now]) => !existsSync(path) || readFileSync(path, "utf8") !== now,
  );
  if (options.dryRun !== true && changed.length > 0) await writeTogether(changed, dirname(out));
  const noOverlay = overlayPath === undefined ? [`no overlay: there is no file ${besideConfig}`] : [];
  return {
    verdict,
    notes: [...noOverlay, ...found, ...notes(spec, name, overlayPath, before)],
    written: changed.map(([path]) => path),
  };
}

function isUrl(from: string): boolean {
  return /^[a-z][a-z0-9+.-]+:\/\//i.test(from);
}

async function upstream(from: string): Promise<{ bytes: Uint8Array; name: string }> {
  if (!isUrl(from)) return { bytes: await readBytes(from), name: from === "-" ? "standard input" : from };
  // An invalid URL may still contain a password: it is not repeated.
  if (!URL.canParse(from)) throw new UserError("the URL to pull from is not valid");
  const url = new URL(from);
  return { bytes: await download(url), name: displayUrl(url) };
}

async function outPath(out: string, file: string): Promise<string> {
  const isFolder = /[\\/]$/.test(out) || (existsSync(out) && (await stat(out)).isDirectory());
  return isFolder ? join(out, file) : out;
}

/** @throws {UserError} if the written file would replace one of the others */
async function refuseSameFile(written: string, others: readonly (string | undefined)[]): Promise<void> {
  const own = await identity(written);
  for (const other of others)
    if (other !== undefined && (await identity(other)) === own)
      throw new UserError(`${written} and ${other} would be one file: choose another with --out`);
}

/** A file's path without links. Some systems do not distinguish upper from lower case. */
async function identity(path: string): Promise<string> {
  const whole = absolute(path);
  const known = await realpath(whole).catch(async () => {
    const parent = dirname(whole);
    return parent === whole ? whole : join(await identity(parent), basename(whole));
  });
  return known.toLowerCase();
}

function firstVerdict(to: string): Verdict {
  const first = { level: "minor", location: "the description", message: "pulled for the first time" } as const;
  return { verdict: "minor", from: "nothing", to, changes: [first] };
}

/** Writes every file of a folder in full before the first one is moved to its place. */
async function writeTogether(files: [path: string, text: string][], folder: string): Promise<void> {
  await withScratch(folder, async (scratch) => {
    for (const [path, text] of files) await writeFile(join(scratch, basename(path)), text);
    for (const [path] of files) await rename(join(scratch, basename(path)), path);
  }).catch((error: NodeJS.ErrnoException) => {
    const paths = files.map(([path]) => path).join(" and ");
    throw new UserError(`${paths} cannot be written: ${error.code ?? String(error)}`);
  });
}

/** The command line; `print` gets the lines for stdout, `printNote` those for stderr. */
export async function main(
  args: string[],
  print: (text: string) => void = console.log,
  printNote: (text: string) => void = console.error,
): Promise<void> {
  // `--source` is another name for `--config`.
  const options = { config: text, source: text, overlay: text, out: text, "dry-run": flag, json: flag, markdown: flag };
  const given = parseOptions(args, options, help, { print, allowPositionals: true });
  if (given === undefined) return;
  const { values, positionals } = given;
  const [from, ...more] = positionals;
  if (more.length > 0) throw new UserError("expected one URL or file; see --help");
  if (values.json && values.markdown) throw new UserError("--json and --markdown exclude each other");
  const { verdict, notes, written } = await pull({
    ...values,
    config: values.config ?? values.source,
    from,
    dryRun: values["dry-run"],
  });
  for (const note of notes) printNote(`note: ${note}`);
  if (values.json) return print(JSON.stringify(verdict, null, 2));
  if (values.markdown) return print(verdictMarkdown(verdict, notes));
  print(verdictText(verdict));
  const done = values["dry-run"] ? "would write" : "wrote";
  print(written.length === 0 ? "nothing to write" : `${done} ${written.join(" and ")}`);
}

await runIfMain(import.meta.filename, main);
