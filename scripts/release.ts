import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { lexer, walkTokens } from "marked";
import { UserError, flag, parseOptions, runIfMain, text } from "./cli.js";
import { npm, run } from "./npm.js";
import { parseConfig } from "./pull/config.js";
import { readExactSpec, readText } from "./spec/read.js";
import { asObject } from "./spec/json.js";
import { parseSpec, parseYaml } from "./spec/parse.js";
import { type Level, highest, quote } from "./verdict/findings.js";
import { changeList } from "./verdict/report.js";
import type { Verdict } from "./verdict/verdict.js";

const help = `Usage: npm run release -- [OPTION]...

Raises the version in package.json, package-lock.json and CHANGELOG.md, by the changes since the last release: those of
openapi/customer-tokens.yaml, and the items under "Unreleased" in CHANGELOG.md. "Added", "Changed" and
"Deprecated" are minor, "Fixed" and "Security" are patches, "Removed" and every item that begins with "Breaking" are major.

  --dry-run    print the changelog's entry and write nothing
  --notes TAG  fail unless TAG, such as v1.2.3, is the version in all three files; print its entry in the changelog
  -h, --help   show this page`;

const specPath = "openapi/customer-tokens.yaml";
const sourcePath = "openapi/source.json";

/** The command line, run in the folder that holds the package; `print` gets the lines for stdout. */
export async function main(args: string[], folder = ".", print: (text: string) => void = console.log): Promise<void> {
  const given = parseOptions(args, { "dry-run": flag, notes: text }, help, { print });
  if (given === undefined) return;
  const { "dry-run": isDryRun, notes: tag } = given.values;
  const changelogPath = join(folder, "CHANGELOG.md");
  const present = await versionIn(join(folder, "package.json"));
  const { released, unreleased, head, entries } = parseChangelog(await readText(changelogPath));
  if (tag !== undefined) {
    const locked = await versionIn(join(folder, "package-lock.json"));
    // A tag publishes only if every file says the same.
    for (const [file, is] of Object.entries({
      "package.json": present,
      "package-lock.json": locked,
      "CHANGELOG.md": released,
    }))
      if (tag !== `v${is}`) throw new UserError(`the tag is ${tag}, but the version in ${file} is ${is ?? "none"}`);
    return print((entries[0] ?? "").replace(/^.*/, "").trim());
  }

  const config = join(folder, sourcePath);
  const upstream = upstreamVersion(await readText(config), config);
  const verdict = released === undefined ? undefined : await verdictSince(`v${released}`, folder, upstream);
  const bump = highest([verdict?.verdict ?? "none", ...notedLevels(unreleased)]);
  if (released !== undefined && bump === "none") return print(`Nothing to release: nothing changed since ${released}.`);
  // The first release is the version that package.json already has: it has no callers to break.
  const next = released === undefined ? present : bumped(released, bump);
  const entry = entryOf(next, unreleased, verdict, upstream);
  print(entry);
  if (isDryRun) return;
  await npm(["version", next, "--no-git-tag-version", "--allow-same-version"], { cwd: folder });
  await writeFile(
    changelogPath,
    `${[head, entry, entries.join("").trim()].filter((part) => part !== "").join("\n\n")}\n`,
  );
  print(`\nCommit this, tag the commit v${next} and push the tag: that publishes ${next}.`);
}

/**
 * Takes a changelog apart (https://keepachangelog.com/en/1.1.0/): `head` is the text with the heading "Unreleased",
 * `unreleased` the text under it, `entries` are the released versions, and `released` is the latest of them.
 *
 * @throws {UserError} if it has no "Unreleased"
 */
function parseChangelog(changelog: string) {
  const [intro = "", first = "", ...entries] = changelog.split(/^(?=## \[?(?:Unreleased\]?[ \t]*$|\d+\.\d+\.\d+))/im);
  const [heading = ""] = /^## \[?Unreleased.*/i.exec(first) ?? [];
  if (heading === "") throw new UserError('CHANGELOG.md has no heading "## [Unreleased]"');
  const [released] = /\d+\.\d+\.\d+/.exec(entries[0] ?? "") ?? [];
  return { head: intro + heading, unreleased: first.slice(heading.length).trim(), entries, released };
}

/** The level of each heading of Keep a Changelog. */
const headingLevels: Record<string, Level> = {
  removed: "major",
  added: "minor",
  changed: "minor",
  deprecated: "minor",
  fixed: "patch",
  security: "patch",
};

/** Whether an item, paragraph or heading, at any depth, begins with "Breaking", with whatever emphasis. */
function isBreaking(markdown: string): boolean {
  let found = false;
  void walkTokens(lexer(markdown), ({ type, raw }) => {
    const isBlock = type === "list_item" || type === "paragraph" || type === "heading";
    found ||= isBlock && /^(?:\d+[.)])?[^\p{L}\p{N}`]*breaking(?![\p{L}\p{N}])/iu.test(raw);
  });
  return found;
}

/** The levels of the items under "Unreleased"; one that begins with "Breaking" is major under any heading. */
function notedLevels(unreleased: string): Level[] {
  const [before = "", ...sections] = unreleased.split(/^### +/m);
  if (before.trim() !== "")
    throw new UserError('CHANGELOG.md: the text under "Unreleased" needs a heading such as "### Added" above it');
  return sections.flatMap((section) => {
    const [heading = "", ...lines] = section.split("\n");
    const text = lines.join("\n").trim();
    const level = headingLevels[heading.trim().toLowerCase()];
    if (level === undefined)
      throw new UserError(
        `CHANGELOG.md: "### ${heading.trim()}" under "Unreleased" must be one of ${Object.keys(headingLevels).join(", ")}`,
      );
    if (text === "") return [];
    return isBreaking(text) ? ["major"] : [level];
  });
}

/**
 * The next version (https://semver.org). Below 1.0.0 a breaking change and an addition both raise the second number,
 * which `^0.y.z` keeps callers from.
 */
function bumped(released: string, level: Level | "none"): string {
  const [major = 0, minor = 0, patch = 0] = released.split(".").map(Number);
  if (level === "major" && major > 0) return `${major + 1}.0.0`;
  if (level === "major" || level === "minor") return `${major}.${minor + 1}.0`;
  return `${major}.${minor}.${patch + 1}`;
}

/** What changed between the spec of a tag and the present one: the sum of all pulls in between. */
async function verdictSince(tag: string, folder: string, to: string): Promise<Verdict> {
  const show = async (path: string): Promise<string> => {
    try {
      // `./`: from this folder, which need not be the repository's root.
      return (await run("git", ["show", `${tag}:./${path}`], { cwd: folder, maxBuffer: 2 ** 26 })).stdout;
    } catch {
      throw new UserError(
        `CHANGELOG.md names ${tag.slice(1)} as released, but git has no ${path} at the tag ${tag}: fetch the tags with ` +
          `"git fetch --tags", or tag the commit that released it`,
      );
    }
  };
  const before = parseSpec(await show(specPath), `${tag}:${specPath}`);
  const from = upstreamVersion(await show(sourcePath), `${tag}:${sourcePath}`);
  const { compareSpecs } = await import("./verdict/verdict.js");
  return compareSpecs(before, await readExactSpec(join(folder, specPath)), { from, to });
}

function upstreamVersion(config: string, path: string): string {
  return parseConfig(config, path).version ?? "unknown";
}

function entryOf(next: string, unreleased: string, verdict: Verdict | undefined, upstream: string): string {
  const parts = [`## [${next}] - ${new Date().toISOString().slice(0, "2026-08-01".length)}`];
  if (unreleased !== "") parts.push(unreleased);
  if (verdict === undefined)
    parts.push(`### Specification\n\nThe first release, made from the provider's ${quote(upstream)}.`);
  else if (verdict.verdict !== "none") {
    const heading = `### Specification ${quote(verdict.from)} → ${quote(verdict.to)}`;
    parts.push([heading, "", ...changeList(verdict, "####")].join("\n"));
  }
  return parts.join("\n\n");
}

async function versionIn(path: string): Promise<string> {
  const { version } = asObject(parseYaml(await readText(path), path));
  if (typeof version === "string" && /^\d+\.\d+\.\d+$/.test(version)) return version;
  throw new UserError(`${path}: "version" must be three numbers with dots between them`);
}

await runIfMain(import.meta.filename, main);
