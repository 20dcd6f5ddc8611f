import { mkdir, readFile, readdir } from "node:fs/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { generate } from "../../scripts/generate.js";
import { prettify } from "../../scripts/prettify.js";
import { fixtureText } from "../support/fixture.js";
import { commitAll, git } from "../support/git.js";
import { isPosix, long } from "../support/mode.js";
import { has, needs } from "../support/needs.js";
import { copyRepository } from "../support/repository.js";
import { serve } from "../support/serve.js";
import { treeForAll } from "../support/tree.js";
import { createHost, readJobs } from "../support/workflow.js";

// The workflows, step by step, without their host. `npm run test:workflows` leaves nothing out, and takes half an hour.
// actionlint and zizmor (`npm run lint:workflows`) check the rest of a workflow.

const jobs = await readJobs();
const jobOf = (file: string, job: string) => jobs.get(`${file} ${job}`) ?? expect.fail(`${file} has no job ${job}`);
/** The commands that `npm test` leaves out: it would run itself. */
const short = long ? [] : ["npm ci", "npm test"];
const timeout = long ? 7_200_000 : 120_000;

describe.runIf(isPosix)("step by step", () => {
  const { at, put, read } = treeForAll();
  let host: Awaited<ReturnType<typeof createHost>>;
  /** The project as it is here; and one whose provider is the server, which publishes `published`. */
  let origin: string;
  let pulling: string;
  let published: string;
  let server: Awaited<ReturnType<typeof serve>>;

  beforeEach((context) => {
    needs(context, has("git"), "there is no git");
    needs(context, has("redis-server"), "there is no redis-server: apt-get install redis-server");
  });
  beforeAll(async () => {
    host = await createHost(at());
    server = await serve((_, response) => response.end(published));
    if (!has("git")) return;
    await copyRepository(at("project"));
    origin = await bareClone("origin.git");
    const url = `${server.url}/swagger.yaml`;
    const source = { url, operationIds: ["createCustomerToken"], version: "v1", sha256: null };
    await put("project/openapi/source.json", await prettify(JSON.stringify(source), "json"));
    const spec = await put("project/openapi/customer-tokens.yaml", await fixtureText());
    await generate({ spec, out: at("project/generated") });
    pulling = await bareClone("pulling.git");
  }, 120_000);
  afterAll(() => server.close());

  /** A bare clone of the project, with all that it has now. */
  async function bareClone(name: string): Promise<string> {
    await commitAll(at("project"));
    await git(at(), "clone", "--quiet", "--bare", "project", name);
    return at(name);
  }

  const run = (job: string, artifact: string, skip: readonly string[] = []) =>
    host.runJob(jobOf("spec.yml", job), artifact, { origin: pulling, skip: [...short, ...skip] });

  test("from a scope that upstream added to branch, commit and pull request", { timeout }, async () => {
    const text = stringify(parse(await fixtureText()), { aliasDuplicateObjects: false });
    published = text
      .replace(/^( *)- counterparties:read$/m, "$1- counterparties:read\n$1- rewards:read")
      .replace(/^( *)version: .*$/m, "$1version: v2");
    const artifact = at("artifact");
    // A change that breaks tests would be proposed all the same; one more scope breaks none.
    expect((await run("generate", artifact)).tolerated).toEqual([]);
    expect((await readdir(artifact)).sort()).toEqual(["generated", "openapi", "verdict.md"]);

    await run("propose", artifact);
    const title = "Specification v1 → v2: minor";
    const log = (...args: string[]): Promise<string> => git(pulling, ...args);
    expect(await log("log", "--format=%an: %s", "main..specification")).toBe(`github-actions[bot]: ${title}`);
    expect(await log("log", "--format=%b", "main..specification")).toMatch(
      /^## Minor: .*\n\n- `createCustomerToken request scopes\[\]`: value `rewards:read` of `scopes\[\]` added to the request$/,
    );
    const files = (await log("diff", "--name-only", "main", "specification")).split("\n");
    expect(files).toEqual(
      expect.arrayContaining(["generated/paths.ts", "openapi/customer-tokens.yaml", "openapi/source.json"]),
    );
    expect(files.filter((file) => !/^(openapi|generated)\//.test(file))).toEqual([]);
    const added = (await log("diff", "main", "specification", "--", "openapi/customer-tokens.yaml")).match(
      /^[+-] .*/gm,
    );
    expect(added?.map((line) => line.replace(/ +/, " "))).toEqual(["+ - rewards:read"]);
    expect(await log("show", "specification:generated/paths.ts")).toContain('"rewards:read"');

    const list = expect.stringMatching(
      /^gh SPEC_TOKEN pr list --head specification --state open .*isCrossRepository \| not/,
    );
    expect(await host.calls()).toEqual([
      "gh SPEC_TOKEN auth setup-git",
      list,
      expect.stringMatching(`^gh SPEC_TOKEN pr create --head specification --title ${title} --body-file `),
    ]);
    const body = await read("body.md");
    expect(body).toMatch(
      /^## Minor: .*\n\n- `createCustomerToken request scopes\[\]`: value `rewards:read` of `scopes\[\]` added to the request\n/,
    );
    expect(body).toContain("## How to review");

    // The next day: the same proposal, whose pull request is open by now.
    const commit = await log("rev-parse", "specification");
    await run("propose", artifact);
    expect(await log("rev-parse", "specification")).toBe(commit);
    expect((await host.calls()).at(-1)).toMatch(
      /^gh SPEC_TOKEN pr edit 1 --title Specification v1 → v2: minor --body-file /,
    );

    // Upstream takes the scope back: the branch stays, and its pull request is closed.
    published = text.replace(/^( *)version: .*$/m, "$1version: v3");
    const takenBack = at("taken-back");
    await run("generate", takenBack, ["npm run generate"]);
    expect((await run("propose", takenBack)).printed).toContain("Nothing to propose: Specification v1 → v3: none");
    expect(await host.calls()).toEqual([
      list,
      "gh SPEC_TOKEN pr close 1 --comment There is nothing left to propose. Specification v1 → v3: none",
    ]);
    expect(await log("rev-parse", "specification")).toBe(commit);

    // From then on there is nothing to close; and if the scope comes again, it is proposed again.
    await run("propose", takenBack);
    expect(await host.calls()).toEqual([list]);
    expect((await run("propose", artifact)).printed).toContain(`Proposed already: ${title}`);
    expect((await host.calls()).at(-1)).toMatch(/^gh SPEC_TOKEN pr create /);
  });

  test("a file without a verdict is not proposed", async () => {
    const artifact = at("broken");
    await put("broken/verdict.md", "error: no answer\n");
    await expect(run("propose", artifact)).rejects.toThrow(/^error: \S+openapi is not there; see --help$/m);
    for (const name of ["openapi", "generated"]) await mkdir(`${artifact}/${name}`);
    await expect(run("propose", artifact)).rejects.toThrow("must begin with a heading that carries the verdict");
    expect(await host.calls()).toEqual([]);
  });

  test("from a tag to npm and a release on GitHub", { timeout }, async () => {
    const { version } = JSON.parse(await readFile("package.json", "utf8")) as { version: string };
    const tag = `v${version}`;
    await git(origin, "tag", tag, "main");
    const artifact = at("package");
    const runRelease = (name: string) =>
      host.runJob(jobOf("release.yml", name), artifact, { origin, ref: tag, skip: short });
    await runRelease("pack");
    const tarball = `cybrid-customer-tokens-${version}.tgz`;
    expect((await readdir(artifact)).sort()).toEqual([tarball, "notes.md"]);
    await runRelease("publish");
    await runRelease("announce");
    expect(await host.calls()).toEqual([
      `npm publish ./${tarball} --provenance --access public`,
      `gh token release create ${tag} ./${tarball} --verify-tag --title ${tag} --notes-file notes.md`,
    ]);
    const changelog = await readFile("CHANGELOG.md", "utf8");
    const notes = await read("package/notes.md");
    expect(changelog).toContain(`## [${version}]`);
    expect(changelog).toContain(notes.trim());
  });

  test("a tag of another version is not packed", async () => {
    await git(origin, "tag", "v0.0.1", "main");
    const packed = host.runJob(jobOf("release.yml", "pack"), at("none"), { origin, ref: "v0.0.1", skip: short });
    await expect(packed).rejects.toThrow("the tag is v0.0.1, but the version in package.json is");
  });

  // They run `npm test`, which would run itself.
  const ci = [...jobs].filter(([name, job]) => name.startsWith("ci.yml ") && job["runs-on"].startsWith("ubuntu"));
  test.each(long ? ci : [])("%s", { timeout }, async (_, job) => {
    await host.runJob(job, at("nothing"), { origin });
  });
});
