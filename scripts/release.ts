import { execFile } from "node:child_process";
import { join, resolve } from "node:path";
import { parseArgs, promisify } from "node:util";
import { UserError, command } from "./command.js";
import { highest, quote } from "./verdict/findings.js";
import type { Level } from "./verdict/findings.js";
import { parseSource, writeTogether } from "./pull.js";
import { isObject } from "./spec/json.js";
import { parseSpec, readText } from "./spec/parse.js";
import { readExactSpec } from "./spec/check.js";
import type { Json } from "./spec/json.js";
import { changeList } from "./verdict/report.js";
import { compareSpecs } from "./verdict/verdict.js";
import type { Verdict } from "./verdict/verdict.js";

const help = `usage: npm run release [-- options]

Moves the version in package.json, package-lock.json and CHANGELOG.md, as the changes since the last released version
ask for: those of openapi/customer-tokens.yaml, and those that stand under "Unreleased" in CHANGELOG.md.

  --dry-run    print the changelog's entry and write nothing
  --check TAG  only say whether TAG, such as v1.2.3, is the version that the three files name
`;

const specPath = "openapi/customer-tokens.yaml";
const sourcePath = "openapi/source.json";

/** The command line, run in the folder that holds the package; `print` gets what belongs on stdout. */
export async function main(args: string[], folder = ".", print: (text: string) => void = console.log): Promise<void> {
  const flags = parse(args);
  if (flags.help) return print(help);
  const files = {
    manifest: join(folder, "package.json"),
    lock: join(folder, "package-lock.json"),
    changelog: join(folder, "CHANGELOG.md"),
  };
  const manifest = await readJson(files.manifest);
  const lock = await readJson(files.lock);
  const changelog = parseChangelog(await readText(files.changelog));
  const present = version(manifest, files.manifest);
  if (flags.check !== undefined) {
    const stated = {
      [files.manifest]: present,
      [files.lock]: version(lock, files.lock),
      [files.changelog]: changelog.released ?? "none",
    };
    checkTag(flags.check, stated);
    return print(`${flags.check} is the version in ${Object.keys(stated).join(", ")}.`);
  }

  const { released, unreleased, head, rest } = changelog;
  const verdict = released === undefined ? undefined : await verdictSince(`v${released}`, folder);
  const bump = highest([verdict?.verdict ?? "none", ...notedLevels(unreleased)]);
  if (released !== undefined && bump === "none") return print(`Nothing to release: nothing changed since ${released}.`);
  // The first release is the version that package.json already has: it has no callers to break.
  const next = released === undefined ? present : bumped(released, bump);
  const entry = await entryOf(next, unreleased, verdict, folder);
  print(entry);
  if (flags["dry-run"]) return;
  await writeTogether([
    [files.manifest, toJson({ ...manifest, version: next })],
    [files.lock, toJson(withVersion(lock, next))],
    [files.changelog, `${[head, entry, rest].filter((part) => part !== "").join("\n\n")}\n`],
  ]);
  print(`\nCommit this, tag the commit v${next} and push the tag: that publishes ${next}.`);
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        "dry-run": { type: "boolean", default: false },
        check: { type: "string" },
        help: { type: "boolean", short: "h", default: false },
      },
    }).values;
  } catch (error) {
    throw new UserError(`${error instanceof Error ? error.message : String(error)}; see --help`);
  }
}

/** A tag publishes only where every file says the same. */
function checkTag(tag: string, stated: Record<string, string>): void {
  for (const [file, is] of Object.entries(stated))
    if (tag !== `v${is}`) throw new UserError(`the tag is ${tag}, but the version in ${file} is ${is}`);
}

interface Changelog {
  /** The text up to the heading "Unreleased", and with it. */
  head: string;
  /** What stands under it. */
  unreleased: string;
  /** The entries of the released versions. */
  rest: string;
  /** The last released version; undefined before the first. */
  released: string | undefined;
}

/** Takes a changelog apart (https://keepachangelog.com/en/1.1.0/). Throws {@link UserError} where it has no "Unreleased". */
function parseChangelog(text: string): Changelog {
  const heading = /^## \[?Unreleased\]?[ \t]*$/im.exec(text);
  if (heading === null) throw new UserError('CHANGELOG.md has no heading "## [Unreleased]"');
  const start = heading.index + heading[0].length;
  const next = /^## \[?(\d+\.\d+\.\d+)\]?/m.exec(text.slice(start));
  const end = next === null ? text.length : start + next.index;
  return {
    head: text.slice(0, start),
    unreleased: text.slice(start, end).trim(),
    rest: text.slice(end).trim(),
    released: next?.[1],
  };
}

/** What a heading of Keep a Changelog says of the version. */
const headingLevels: Record<string, Level> = {
  removed: "major",
  added: "minor",
  changed: "minor",
  deprecated: "minor",
  fixed: "patch",
  security: "patch",
};

/** The levels of what stands under "Unreleased"; a line that says "breaking" is major under any heading. */
function notedLevels(unreleased: string): Level[] {
  const [before = "", ...sections] = unreleased.split(/^### +/m);
  if (before.trim() !== "")
    throw new UserError('CHANGELOG.md: what stands under "Unreleased" needs a heading such as "### Added" above it');
  return sections.flatMap((section) => {
    const [heading = "", ...lines] = section.split("\n");
    const text = lines.join("\n").trim();
    const level = headingLevels[heading.trim().toLowerCase()];
    if (level === undefined)
      throw new UserError(
        `CHANGELOG.md: "### ${heading.trim()}" under "Unreleased" is none of ${Object.keys(headingLevels).join(", ")}`,
      );
    if (text === "") return [];
    return /\bbreaking\b/i.test(text) ? ["major"] : [level];
  });
}

/**
 * The next version (https://semver.org). Below 1.0.0 a breaking change and an addition both raise the second number,
 * which is what `^0.y.z` keeps callers from.
 */
function bumped(released: string, level: Level | "none"): string {
  const [major = 0, minor = 0, patch = 0] = released.split(".").map(Number);
  if (level === "major" && major > 0) return `${major + 1}.0.0`;
  if (level === "major" || level === "minor") return `${major}.${minor + 1}.0`;
  return `${major}.${minor}.${patch + 1}`;
}

/** What changed between the spec of a tag and the present one: the sum of all pulls in between. */
async function verdictSince(tag: string, folder: string): Promise<Verdict> {
  const [oldSpec, oldSource] = [await showAt(tag, specPath, folder), await showAt(tag, sourcePath, folder)];
  return compareSpecs(parseSpec(oldSpec, `${tag}:${specPath}`), await readExactSpec(join(folder, specPath)), {
    from: upstreamVersion(oldSource, `${tag}:${sourcePath}`),
    to: await presentUpstream(folder),
  });
}

function upstreamVersion(source: string, name: string): string {
  return parseSource(source, name).version ?? "unknown";
}

async function presentUpstream(folder: string): Promise<string> {
  const path = join(folder, sourcePath);
  return upstreamVersion(await readText(path), path);
}

async function showAt(tag: string, path: string, folder: string): Promise<string> {
  try {
    // `./`: from this folder, which need not be the repository's root.
    const { stdout } = await promisify(execFile)("git", ["show", `${tag}:./${path}`], {
      cwd: folder,
      maxBuffer: 2 ** 26,
    });
    return stdout;
  } catch {
    throw new UserError(
      `CHANGELOG.md names ${tag.slice(1)} as released, but git has no ${path} at the tag ${tag}: fetch the tags with ` +
        `"git fetch --tags", or tag the commit that released it`,
    );
  }
}

async function entryOf(
  next: string,
  unreleased: string,
  verdict: Verdict | undefined,
  folder: string,
): Promise<string> {
  const today = new Date().toISOString().slice(0, "2026-08-01".length);
  const parts = [`## [${next}] - ${today}`];
  if (unreleased !== "") parts.push(unreleased);
  if (verdict === undefined) {
    const upstream = quote(await presentUpstream(folder));
    parts.push(`### Specification\n\nThe first release, made from the provider's ${upstream}.`);
  } else if (verdict.verdict !== "none") {
    const heading = `### Specification ${quote(verdict.from)} → ${quote(verdict.to)}`;
    parts.push([heading, "", ...changeList(verdict, "####")].join("\n"));
  }
  return parts.join("\n\n");
}

function version(file: Json, name: string): string {
  const is = file["version"];
  if (typeof is !== "string" || !/^\d+\.\d+\.\d+$/.test(is))
    throw new UserError(`${name}: "version" must be three numbers with dots between them`);
  return is;
}

/** npm keeps the package's own version twice in its lock. */
function withVersion(lock: Json, next: string): Json {
  const packages = isObject(lock["packages"]) ? lock["packages"] : {};
  const own = isObject(packages[""]) ? packages[""] : {};
  return { ...lock, version: next, packages: { ...packages, "": { ...own, version: next } } };
}

async function readJson(path: string): Promise<Json> {
  const text = await readText(path);
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return value;
  } catch {
    // Said below, as for every other value that is no object.
  }
  throw new UserError(`${path} is not a JSON object`);
}

function toJson(value: Json): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

if (resolve(process.argv[1] ?? "") === import.meta.filename) await command(() => main(process.argv.slice(2)));
