import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { UserError } from "../../scripts/cli.js";
import { main } from "../../scripts/release.js";
import { has, needs } from "../support/needs.js";

const run = promisify(execFile);
const today = new Date().toISOString().slice(0, 10);

let folder: string;
beforeEach(async (context) => {
  needs(context, has("git"), "there is no git");
  folder = await mkdtemp(join(tmpdir(), "release-"));
  await mkdir(join(folder, "openapi"));
  await cp("test/fixtures/customer-tokens.yaml", join(folder, "openapi/customer-tokens.yaml"));
  await write({
    "openapi/source.json": JSON.stringify({
      url: "https://example.com",
      operationIds: ["createCustomerToken"],
      version: "v7",
    }),
    "package.json": `{\n  "name": "x",\n  "version": "1.2.3"\n}\n`,
    "package-lock.json": `{\n  "name": "x",\n  "version": "1.2.3",\n  "packages": {\n    "": {\n      "name": "x",\n      "version": "1.2.3"\n    }\n  }\n}\n`,
    "CHANGELOG.md": "# Changelog\n\n## [Unreleased]\n\n## [1.2.3] - 2026-01-01\n\n- The start.\n",
  });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function write(files: Record<string, string>): Promise<void> {
  for (const [path, text] of Object.entries(files)) await writeFile(join(folder, path), text);
}

async function edit(path: string, from: string | RegExp, to: string): Promise<void> {
  const text = await readFile(join(folder, path), "utf8");
  const edited = text.replace(from, to);
  expect(edited).not.toBe(text);
  await write({ [path]: edited });
}

async function files(): Promise<Record<string, string>> {
  const names = (await readdir(folder)).filter((name) => name !== ".git" && name !== "openapi");
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name), "utf8")] as const)),
  );
}

async function git(...args: string[]): Promise<void> {
  await run("git", ["-c", "user.name=t", "-c", "user.email=t@example.com", ...args], { cwd: folder });
}

async function tagged(): Promise<void> {
  await git("init", "--quiet");
  await git("add", ".");
  await git("commit", "--quiet", "--message", "release");
  await git("tag", "v1.2.3");
}

async function release(...args: string[]): Promise<string> {
  const lines: string[] = [];
  await main(args, folder, (line) => lines.push(line));
  return lines.join("\n");
}

/** Runs what must be refused, with every file left as it was, and returns the sentence. */
async function refused(...args: string[]): Promise<string> {
  const before = await files();
  const refusal: unknown = await release(...args).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(UserError);
  expect(await files()).toEqual(before);
  return (refusal as UserError).message.replaceAll(join(folder, "/"), "");
}

describe("npm run release", () => {
  test("adds up the pulls since the tag and what stands under Unreleased", async () => {
    await tagged();
    await edit("openapi/source.json", "v7", "v8");
    await edit(
      "openapi/customer-tokens.yaml",
      "              - prices:read\n",
      "              - rewards:read\n              - prices:read\n",
    );
    await git("commit", "--all", "--quiet", "--message", "a pull");
    await edit("openapi/source.json", "v8", "v9");
    await edit("openapi/customer-tokens.yaml", "              - quotes:read\n", "");
    await edit("CHANGELOG.md", "## [Unreleased]\n", "## [Unreleased]\n\n### Fixed\n\n- A slip.\n");

    expect(await release()).toContain("tag the commit v2.0.0");
    expect(await files()).toEqual({
      "package.json": `{\n  "name": "x",\n  "version": "2.0.0"\n}\n`,
      "package-lock.json": `{\n  "name": "x",\n  "version": "2.0.0",\n  "packages": {\n    "": {\n      "name": "x",\n      "version": "2.0.0"\n    }\n  }\n}\n`,
      "CHANGELOG.md": `# Changelog

## [Unreleased]

## [2.0.0] - ${today}

### Fixed

- A slip.

### Specification \`v7\` → \`v9\`

#### Major: code of callers may break

- \`createCustomerToken request scopes[]\`: value \`quotes:read\` of \`scopes[]\` removed from the request

#### Minor: more can be asked for or answered

- \`createCustomerToken request scopes[]\`: value \`rewards:read\` of \`scopes[]\` added to the request

## [1.2.3] - 2026-01-01

- The start.
`,
    });
    const notes = await release("--notes", "v2.0.0");
    expect(notes).toMatch(/^### Fixed\n\n- A slip\.\n\n### Specification [^]*added to the request$/);
    expect(await refused("--notes", "v1.2.3")).toMatch(
      /^the tag is v1\.2\.3, but the version in package\.json is 2\.0\.0/,
    );
    // Released but not tagged: there is nothing to compare with, and no second bump.
    expect(await refused()).toMatch(/^CHANGELOG.md names 2\.0\.0 as released, but git has no .* at the tag v2\.0\.0/);
  });

  test.each([
    ["1.2.3", "Added", "1.3.0"],
    ["1.2.3", "Security", "1.2.4"],
    ["1.2.3", "Removed", "2.0.0"],
    ["0.4.1", "Removed", "0.5.0"],
    ["0.4.1", "Added", "0.5.0"],
    ["0.4.1", "Fixed", "0.4.2"],
  ])("%s with something %s is followed by %s", async (from, heading, to) => {
    await tagged();
    await git("tag", "--force", `v${from}`);
    if (from !== "1.2.3") await edit("CHANGELOG.md", "1.2.3", from);
    await edit("CHANGELOG.md", "## [Unreleased]\n", `## [Unreleased]\n\n### ${heading}\n\n- It.\n`);
    expect(await release("--dry-run")).toMatch(`## [${to}] - ${today}\n\n### ${heading}\n\n- It.`);
    expect((await files())["package.json"]).toContain("1.2.3");
  });

  test.each([
    "- Breaking: it.",
    "- **Breaking:** it.",
    "* __Breaking__: it.",
    "1. breaking: it.",
    "- BREAKING CHANGE: it.",
    "- [Breaking] it.",
    "- Some.\n  - _Breaking_: it.",
    "- Some.\n\n  Breaking: it.",
    "**Breaking**: it.",
    "#### Breaking changes\n\n- It.",
  ])("%j is a breaking change, and so", async (text) => {
    expect(await fixedBy(text)).toBe("2.0.0");
  });

  test.each([
    "- Names with a non-breaking space are kept.",
    "- Nothing is breaking.",
    "- Nothing breaking: it is kept.",
    "- Non-breaking: it.",
    "- This is a change that is not\n  breaking: it is kept.",
    "- `breaking` is a word.",
    "```\n- Breaking: it.\n```",
    "<!-- Breaking: it. -->",
    "- Breakingly small.",
  ])("%j is none", async (text) => {
    expect(await fixedBy(text)).toBe("1.2.4");
  });

  /** The version after a text under "Fixed". */
  async function fixedBy(text: string): Promise<string | undefined> {
    await tagged();
    await edit("CHANGELOG.md", "## [Unreleased]\n", `## [Unreleased]\n\n### Fixed\n\n${text}\n`);
    return /## \[(.*?)\]/.exec(await release("--dry-run"))?.[1];
  }

  test("releases what package.json says the first time", async () => {
    await edit("CHANGELOG.md", /## \[1\.2\.3\][^]*/, "### Added\n\n- All of it.\n");
    expect(await release()).toContain(`## [1.2.3] - ${today}\n\n### Added\n\n- All of it.\n\n### Specification`);
    expect((await files())["CHANGELOG.md"]).toContain("made from the provider's `v7`");
  });

  test("releases nothing when upstream's version alone changed", async () => {
    await tagged();
    await edit("openapi/source.json", "v7", "v8");
    const before = await files();
    expect(await release()).toMatch(/^Nothing to release: nothing changed since 1\.2\.3\./);
    expect(await files()).toEqual(before);
  });

  test("refuses in one sentence and writes nothing", async () => {
    expect(await refused()).toMatch(
      /^CHANGELOG.md names 1\.2\.3 as released, but git has no .*v1\.2\.3: fetch the tags/,
    );
    expect(await refused("--chek")).toMatch(/^Unknown option '--chek'/);
    expect(await refused("--notes", "v1.2.4")).toBe("the tag is v1.2.4, but the version in package.json is 1.2.3");
    await edit("CHANGELOG.md", "## [Unreleased]\n", "## [Unreleased]\n\n### Sundries\n\n- It.\n");
    await tagged();
    expect(await refused()).toMatch(/^CHANGELOG.md: "### Sundries" under "Unreleased" is none of removed, added/);
    await edit("CHANGELOG.md", "### Sundries\n", "");
    expect(await refused()).toMatch(/needs a heading such as "### Added" above it$/);
    await edit("CHANGELOG.md", "## [Unreleased]", "## Soon");
    expect(await refused()).toBe('CHANGELOG.md has no heading "## [Unreleased]"');
    await write({ "package.json": "[]" });
    expect(await refused()).toBe('package.json: "version" must be three numbers with dots between them');
  });
});
