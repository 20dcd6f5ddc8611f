import { readFile } from "node:fs/promises";
import { beforeEach, describe, expect, test } from "vitest";
import { main } from "../../scripts/release.js";
import { readFixture } from "../support/cases.js";
import { commitAll, git } from "../support/git.js";
import { has, needs } from "../support/needs.js";
import { treeForEach } from "../support/tree.js";

const { breaking, "not breaking": notBreaking } = readFixture<Record<string, string[]>>("changelog-items");
const today = new Date().toISOString().slice(0, 10);
const versioned = (version: string) => ({
  "package.json": `{\n  "name": "x",\n  "version": "${version}"\n}\n`,
  "package-lock.json": `{\n  "name": "x",\n  "version": "${version}",\n  "packages": {\n    "": {\n      "name": "x",\n      "version": "${version}"\n    }\n  }\n}\n`,
});
const start = "## [1.2.3] - 2026-01-01\n\n- The start.\n";
const unreleased = "## [Unreleased]\n";

const { at, put, read, files: allFiles, refusal } = treeForEach();

beforeEach(async (context) => {
  needs(context, has("git"), "there is no git");
  await put("openapi/customer-tokens.yaml", await readFile("test/fixtures/customer-tokens.yaml", "utf8"));
  const source = { url: "https://example.com", operationIds: ["createCustomerToken"], version: "v7" };
  await put("openapi/source.json", JSON.stringify(source));
  for (const [path, text] of Object.entries(versioned("1.2.3"))) await put(path, text);
  await put("CHANGELOG.md", `# Changelog\n\n${unreleased}\n${start}`);
});

async function edit(path: string, from: string | RegExp, to: string): Promise<void> {
  const text = await read(path);
  const edited = text.replace(from, to);
  expect(edited).not.toBe(text);
  await put(path, edited);
}

/** Puts text under "Unreleased". */
const note = (text: string) => edit("CHANGELOG.md", unreleased, `${unreleased}\n${text}\n`);

const scope = (name: string) => `              - ${name}\n`;

async function files(): Promise<Record<string, string>> {
  return Object.fromEntries(Object.entries(await allFiles()).filter(([path]) => !/^(?:\.git|openapi)\//.test(path)));
}

async function tagged(): Promise<void> {
  await commitAll(at());
  await git(at(), "tag", "v1.2.3");
}

async function release(...args: string[]): Promise<string> {
  const lines: string[] = [];
  await main(args, at(), (line) => lines.push(line));
  return lines.join("\n");
}

/** The sentence of a refusal that leaves every file as it was. */
const refused = async (...args: string[]): Promise<string> =>
  (await refusal(() => release(...args))).replaceAll(at("/"), "");

describe("npm run release", () => {
  test("adds up the pulls since the tag and the items under Unreleased", async () => {
    await tagged();
    await edit("openapi/source.json", "v7", "v8");
    await edit("openapi/customer-tokens.yaml", scope("prices:read"), scope("rewards:read") + scope("prices:read"));
    await commitAll(at());
    await edit("openapi/source.json", "v8", "v9");
    await edit("openapi/customer-tokens.yaml", scope("quotes:read"), "");
    await note("### Fixed\n\n- A slip.");

    expect(await release()).toContain("tag the commit v2.0.0");
    const changelog = (await readFile("test/fixtures/changelog-released.md", "utf8")).replace("TODAY", today);
    expect(await files()).toEqual({ ...versioned("2.0.0"), "CHANGELOG.md": changelog });
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
    await git(at(), "tag", "--force", `v${from}`);
    if (from !== "1.2.3") await edit("CHANGELOG.md", "1.2.3", from);
    await note(`### ${heading}\n\n- It.`);
    expect(await release("--dry-run")).toMatch(`## [${to}] - ${today}\n\n### ${heading}\n\n- It.`);
    expect(await read("package.json")).toContain("1.2.3");
  });

  test("recognizes breaking changes by how their items begin", async () => {
    await tagged();
    const before = await read("CHANGELOG.md");
    const versions: Record<string, string | undefined> = {};
    for (const text of [...(breaking ?? []), ...(notBreaking ?? [])]) {
      await put("CHANGELOG.md", before);
      await note(`### Fixed\n\n${text}`);
      versions[text] = /## \[(.*?)\]/.exec(await release("--dry-run"))?.[1];
    }
    const all = (texts: string[] | undefined, version: string) => texts?.map((text) => [text, version]) ?? [];
    expect(versions).toEqual(Object.fromEntries([...all(breaking, "2.0.0"), ...all(notBreaking, "1.2.4")]));
  });

  test("the first release has the version of package.json", async () => {
    await edit("CHANGELOG.md", start, "### Added\n\n- All of it.\n");
    expect(await release()).toContain(`## [1.2.3] - ${today}\n\n### Added\n\n- All of it.\n\n### Specification`);
    expect(await read("CHANGELOG.md")).toContain("made from the provider's `v7`");
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
    await note("### Sundries\n\n- It.");
    await tagged();
    expect(await refused()).toMatch(/^CHANGELOG.md: "### Sundries" under "Unreleased" must be one of removed, added/);
    await edit("CHANGELOG.md", "### Sundries\n", "");
    expect(await refused()).toMatch(/needs a heading such as "### Added" above it$/);
    await edit("CHANGELOG.md", "## [Unreleased]", "## Soon");
    expect(await refused()).toBe('CHANGELOG.md has no heading "## [Unreleased]"');
    await put("package.json", "[]");
    expect(await refused()).toBe('package.json: "version" must be three numbers with dots between them');
  });
});
