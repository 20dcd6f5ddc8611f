import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { lexer, walkTokens } from "marked";
import { UserError, flag, parseOptions, runIfMain, text } from "./cli.js";
import { npm, run } from "./npm.js";
import { parseConfig } from "./pull/config.js";
import { readExactSpec } from "./spec/check.js";
import { object } from "./spec/json.js";
import { parseSpec, parseYaml, readText } from "./spec/parse.js";
import { type Level, highest, quote } from "./verdict/findings.js";
import { changeList } from "./verdict/report.js";
import type { Verdict } from "./verdict/verdict.js";

const help = `Usage: npm run release -- [OPTION]...

Moves the version in package.json, package-lock.json and CHANGELOG.md, as the changes since the last released version
ask for: those of openapi/customer-tokens.yaml, and the items under "Unreleased" in CHANGELOG.md. "Added", "Changed" and
"Deprecated" are minor, "Fixed" and "Security" are patches, "Removed" and every item that begins with "Breaking" are major.

  --dry-run    print the changelog's entry and write nothing
  --check TAG  only say whether TAG, such as v1.2.3, is the version that the three files name
  --notes TAG  the same, and print that version's entry in the changelog instead
  -h, --help   show this page`;

const specPath = "openapi/customer-tokens.yaml";
const sourcePath = "openapi/source.json";

/** The command line, run in the folder that holds the package; `print` gets what belongs on stdout. */
export async function main(args: string[], folder = ".", print: (text: string) => void = console.log): Promise<void> {
  const given = parseOptions(args, { "dry-run": flag, check: text, notes: text }, help, { print });
  if (given === undefined) return;
  const { values: flags } = given;
  const [manifest = "", lock = "", changelogPath = ""] = ["package.json", "package-lock.json", "CHANGELOG.md"].map(
    (name) => join(folder, name),
  );
  const present = await versionIn(manifest);
  const { released, unreleased, head, rest } = parseChangelog(await readText(changelogPath));
  const tag = flags.check ?? flags.notes;
  if (tag !== undefined) {
    const stated = { [manifest]: present, [lock]: await versionIn(lock), [changelogPath]: released ?? "none" };
    // A tag publishes only where every file says the same.
    for (const [file, is] of Object.entries(stated))
      if (tag !== `v${is}`) throw new UserError(`the tag is ${tag}, but the version in ${file} is ${is}`);
    if (flags.notes !== undefined) return print(latestEntry(rest));
    return print(`${tag} is the version in ${Object.keys(stated).join(", ")}.`);
  }

  const verdict = released === undefined ? undefined : await verdictSince(`v${released}`, folder);
  const bump = highest([verdict?.verdict ?? "none", ...notedLevels(unreleased)]);
  if (released !== undefined && bump === "none") return print(`Nothing to release: nothing changed since ${released}.`);
  // The first release is the version that package.json already has: it has no callers to break.
  const next = released === undefined ? present : bumped(released, bump);
  const entry = await entryOf(next, unreleased, verdict, folder);
  print(entry);
  if (flags["dry-run"]) return;
  await npm(["version", next, "--no-git-tag-version", "--allow-same-version"], { cwd: folder });
  await writeFile(changelogPath, `${[head, entry, rest].filter((part) => part !== "").join("\n\n")}\n`);
  print(`\nCommit this, tag the commit v${next} and push the tag: that publishes ${next}.`);
}

/**
 * Takes a changelog apart (https://keepachangelog.com/en/1.1.0/): `head` is the text with the heading "Unreleased",
 * `unreleased` what stands under it, `rest` the entries of the released versions, `released` the last of them. Throws
 * {@link UserError} where it has no "Unreleased".
 */
function parseChangelog(text: string) {
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

/** The text under the first heading of the second level. */
function latestEntry(entries: string): string {
  return (
    entries
      .replace(/^## .*\n/, "")
      .split(/^## /m)[0]
      ?.trim() ?? ""
  );
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

/** Whether an item, paragraph or heading, at any depth, begins with "Breaking", with whatever emphasis. */
function isBreaking(markdown: string): boolean {
  let found = false;
  walkTokens(lexer(markdown), ({ type, raw }) => {
    const isBlock = type === "list_item" || type === "paragraph" || type === "heading";
    found ||= isBlock && /^(?:\d+[.)])?[^\p{L}\p{N}`]*breaking(?![\p{L}\p{N}])/iu.test(raw);
  });
  return found;
}

/** The levels of what stands under "Unreleased"; what begins with "Breaking" is major under any heading. */
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
    return isBreaking(text) ? ["major"] : [level];
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
  const old = parseSpec(await show(specPath), `${tag}:${specPath}`);
  const from = parseConfig(await show(sourcePath), `${tag}:${sourcePath}`).version ?? "unknown";
  const { compareSpecs } = await import("./verdict/verdict.js");
  return compareSpecs(old, await readExactSpec(join(folder, specPath)), { from, to: await upstreamVersion(folder) });
}

async function upstreamVersion(folder: string): Promise<string> {
  const path = join(folder, sourcePath);
  return parseConfig(await readText(path), path).version ?? "unknown";
}

async function entryOf(
  next: string,
  unreleased: string,
  verdict: Verdict | undefined,
  folder: string,
): Promise<string> {
  const parts = [`## [${next}] - ${new Date().toISOString().slice(0, "2026-08-01".length)}`];
  if (unreleased !== "") parts.push(unreleased);
  if (verdict === undefined) {
    const upstream = quote(await upstreamVersion(folder));
    parts.push(`### Specification\n\nThe first release, made from the provider's ${upstream}.`);
  } else if (verdict.verdict !== "none") {
    const heading = `### Specification ${quote(verdict.from)} → ${quote(verdict.to)}`;
    parts.push([heading, "", ...changeList(verdict, "####")].join("\n"));
  }
  return parts.join("\n\n");
}

async function versionIn(path: string): Promise<string> {
  const { version } = object(parseYaml(await readText(path), path));
  if (typeof version === "string" && /^\d+\.\d+\.\d+$/.test(version)) return version;
  throw new UserError(`${path}: "version" must be three numbers with dots between them`);
}

await runIfMain(import.meta.filename, main);
