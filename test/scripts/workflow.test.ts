import { execFile, execFileSync } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { chmod, cp, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { fixtureText } from "../support/fixture.js";
import { isPosix } from "../support/mode.js";
import { has, needs } from "../support/needs.js";

const run = promisify(execFile);

interface Step {
  uses?: string;
  run?: string;
  with?: Record<string, unknown>;
  env?: Record<string, string>;
  "continue-on-error"?: boolean;
}
interface Workflow {
  permissions: unknown;
  jobs: Record<string, { permissions: Record<string, string>; steps: Step[]; needs?: string }>;
}

const folder = ".github/workflows";
const names = (await readdir(folder)).sort();
const texts = new Map(
  await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name), "utf8")] as const)),
);
const workflow = (name: string): Workflow => parse(texts.get(name) ?? "") as Workflow;
const jobOf = (name: string, job: string) => workflow(name).jobs[job] ?? expect.fail(`${name} has no job ${job}`);

describe.each(["spec.yml", "release.yml"])("%s", (name) => {
  const jobs = Object.values(workflow(name).jobs);
  const steps = jobs.flatMap((job) => job.steps);

  test("pins every action to a commit, with its version beside it", () => {
    const uses = (texts.get(name) ?? "").match(/uses: .*/g) ?? [];
    expect(uses.length).toBe(steps.filter((step) => step.uses !== undefined).length);
    for (const line of uses) expect(line).toMatch(/^uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  test("runs npm's commands and scripts only, and those that package.json has", async () => {
    const { scripts } = JSON.parse(await readFile("package.json", "utf8")) as { scripts: Record<string, string> };
    for (const { run: command } of steps.filter((step) => step.run !== undefined)) {
      const [, script] =
        /^npm (?:run (?:--silent )?([\w:-]+)|(?:ci|test|pack|publish)\b)/.exec(command ?? "") ?? expect.fail(command);
      if (script !== undefined) expect(Object.keys(scripts)).toContain(script);
    }
  });

  test("gives the workflow no permission, and a job that installs packages none but to read", () => {
    expect(workflow(name).permissions).toEqual({});
    for (const job of jobs)
      if (job.steps.some((step) => step.run === "npm ci")) {
        expect(job.permissions).toEqual({ contents: "read" });
        expect(JSON.stringify(job)).not.toContain("secrets.");
        expect(job.steps[0]?.with?.["persist-credentials"]).toBe(false);
      }
  });

  test("keeps no credential beside an artifact that was downloaded", () => {
    for (const job of jobs)
      for (const { uses = "", with: inputs } of job.steps)
        if (uses.startsWith("actions/checkout@")) expect(inputs).toEqual({ "persist-credentials": false });
  });
});

test("release.yml restores no cache, which another workflow could have filled", () => {
  const setups = Object.values(workflow("release.yml").jobs)
    .flatMap((job) => job.steps)
    .filter((step) => step.uses?.startsWith("actions/setup-node@"));
  expect(setups).toHaveLength(2);
  for (const step of setups) expect(step.with?.["package-manager-cache"]).toBe(false);
});

test("release.yml publishes what was packed, with npm's own credentials", () => {
  const { permissions, needs, steps } = jobOf("release.yml", "publish");
  expect(permissions).toEqual({ "id-token": "write" });
  expect(needs).toBe("pack");
  expect(steps.at(-1)?.run).toBe("npm publish ./*.tgz --provenance --access public");
  expect(texts.get("release.yml")).not.toContain("secrets.");
  const before = jobOf("release.yml", "pack").steps.map((step) => step.run);
  expect(before).toEqual(
    expect.arrayContaining(['npm run release -- --check "$GITHUB_REF_NAME"', "npm test", "npm pack"]),
  );
});

/** actionlint 1.7.12 wants Go 1.25. */
const go = ((): string => {
  try {
    const version = execFileSync("go", ["env", "GOVERSION"], { encoding: "utf8" }).trim();
    const [, minor = "0"] = /^go1\.(\d+)/.exec(version) ?? [];
    return Number(minor) >= 25 ? "" : `Go is ${version}, and it needs 1.25`;
  } catch {
    return "there is no Go";
  }
})();
test("actionlint finds nothing", { timeout: 240_000 }, async ({ skip }) => {
  skip(go !== "", go);
  const actionlint = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12";
  const files = names.map((name) => join(folder, name));
  const found = await run("go", ["run", actionlint, ...files]).catch((error: unknown) => error as { stderr: string });
  skip(/dial tcp|no such host|proxyconnect/.test(found.stderr), "the Go module proxy does not answer");
  // A status other than 0 comes as an error, and the problems on its stdout.
  expect(found).toMatchObject({ stdout: "" });
  expect(found).not.toBeInstanceOf(Error);
});

describe.runIf(isPosix)("spec.yml, step by step, without GitHub", () => {
  let home: string;
  let origin: string;
  let published: string;
  const server = createServer((_, response) => response.end(published));

  beforeEach((context) => needs(context, has("git"), "there is no git"));
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), "workflow-"));
    origin = join(home, "origin.git");
    await mkdir(join(home, "bin"));
    await writeFile(join(home, "bin/gh"), gh);
    await chmod(join(home, "bin/gh"), 0o755);
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));

    // The project as it stands here, whose provider is the server above.
    const project = join(home, "project");
    const left = ["node_modules", ".git", "dist", "docs", ".cache"];
    await cp(".", project, { recursive: true, filter: (path) => !left.includes(path) });
    await writeFile(join(project, "openapi/customer-tokens.yaml"), await fixtureText());
    const operationIds = ["createCustomerToken"];
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/swagger.yaml`;
    await writeFile(
      join(project, "openapi/source.json"),
      `${JSON.stringify({ operationIds, url, version: "v1" }, null, 2)}\n`,
    );
    if (!has("git")) return;
    await git(project, "init", "--quiet", "--initial-branch=main");
    await git(project, "add", "--all");
    await git(project, "commit", "--quiet", "--message", "The project");
    await git(home, "clone", "--quiet", "--bare", project, origin);
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
    await rm(home, { recursive: true, force: true });
  });

  async function git(cwd: string, ...args: string[]): Promise<string> {
    return (await run("git", ["-c", "user.name=t", "-c", "user.email=t@example.com", ...args], { cwd })).stdout.trim();
  }

  /** Walks a job's steps in a clone of its own, as a runner does; `skipped` commands are left out. */
  async function walk(job: string, artifact: string, skipped: string[] = []): Promise<string> {
    const clone = await mkdtemp(join(home, `${job}-`));
    let printed = "";
    for (const { uses, run: command, with: inputs, env = {} } of jobOf("spec.yml", job).steps) {
      const action = uses?.replace(/@.*/, "");
      if (action === "actions/checkout") await git(home, "clone", "--quiet", "--depth=1", `file://${origin}`, clone);
      else if (action === "actions/upload-artifact")
        for (const path of String(inputs?.["path"] ?? "")
          .trim()
          .split("\n"))
          await cp(join(clone, path), join(artifact, path), { recursive: true });
      else if (action === "actions/download-artifact")
        await cp(artifact, join(clone, String(inputs?.["path"] ?? ".")), { recursive: true });
      else if (action?.startsWith("actions/setup-")) continue;
      else if (command === "npm ci") await symlink(resolve("node_modules"), join(clone, "node_modules"));
      else if (command === undefined) expect.fail(`no way to walk ${uses}`);
      else if (!skipped.includes(command)) {
        const secrets = Object.entries(env).map(([key, value]) => [
          key,
          value.replace("${{ secrets.SPEC_TOKEN }}", "t0ken"),
        ]);
        const { stdout } = await run("bash", ["-e", "-o", "pipefail", "-c", command], {
          cwd: clone,
          env: {
            ...process.env,
            ...Object.fromEntries(secrets),
            GH_FOLDER: home,
            PATH: `${join(home, "bin")}${delimiter}${process.env["PATH"]}`,
          },
        });
        printed += stdout;
      }
    }
    return printed;
  }

  const ghCalls = async (): Promise<string[]> => {
    const calls = (await readFile(join(home, "calls"), "utf8")).trim().split("\n");
    await rm(join(home, "calls"));
    return calls;
  };

  test("from a scope that upstream added to branch, commit and pull request", { timeout: 120_000 }, async () => {
    const text = stringify(parse(await fixtureText()), { aliasDuplicateObjects: false });
    published = text
      .replace(/^( *)- counterparties:read$/m, "$1- counterparties:read\n$1- rewards:read")
      .replace(/^( *)version: .*$/m, "$1version: v2");
    const artifact = join(home, "artifact");
    // It would run this very test; that its failure stops nothing is asserted instead.
    const { steps } = jobOf("spec.yml", "generate");
    expect(steps.find((step) => step.run === "npm test")?.["continue-on-error"]).toBe(true);
    await walk("generate", artifact, ["npm test"]);
    expect((await readdir(artifact)).sort()).toEqual(["generated", "openapi", "verdict.md"]);

    await walk("propose", artifact);
    const title = "Specification v1 → v2: minor";
    const at = (...args: string[]): Promise<string> => git(origin, ...args);
    expect(await at("log", "--format=%an: %s", "main..specification")).toBe(`github-actions[bot]: ${title}`);
    expect(await at("log", "--format=%b", "main..specification")).toMatch(
      /^## Minor: .*\n\n- `createCustomerToken request scopes\[\]`: value `rewards:read` of `scopes\[\]` added to the request$/,
    );
    const files = (await at("diff", "--name-only", "main", "specification")).split("\n");
    expect(files).toEqual(
      expect.arrayContaining(["generated/paths.ts", "openapi/customer-tokens.yaml", "openapi/source.json"]),
    );
    expect(files.filter((file) => !/^(openapi|generated)\//.test(file))).toEqual([]);
    const added = (await at("diff", "main", "specification", "--", "openapi/customer-tokens.yaml")).match(/^[+-] .*/gm);
    expect(added?.map((line) => line.replace(/ +/, " "))).toEqual(["+ - rewards:read"]);
    expect(await at("show", "specification:generated/paths.ts")).toContain('"rewards:read"');

    const list = expect.stringMatching(/^t0ken pr list --head specification --state open .*isCrossRepository \| not/);
    expect(await ghCalls()).toEqual([
      "t0ken auth setup-git",
      list,
      expect.stringMatching(`^t0ken pr create --head specification --title ${title} --body-file `),
    ]);
    const body = await readFile(join(home, "body.md"), "utf8");
    expect(body).toMatch(
      /^## Minor: .*\n\n- `createCustomerToken request scopes\[\]`: value `rewards:read` of `scopes\[\]` added to the request\n/,
    );
    expect(body).toContain("## How to review");

    // The next day: the same proposal, whose pull request is open by now.
    const commit = await at("rev-parse", "specification");
    await walk("propose", artifact);
    expect(await at("rev-parse", "specification")).toBe(commit);
    expect((await ghCalls()).at(-1)).toMatch(/^t0ken pr edit 1 --title Specification v1 → v2: minor --body-file /);

    // Upstream takes the scope back: the branch stays, and its pull request is closed.
    published = text.replace(/^( *)version: .*$/m, "$1version: v3");
    const takenBack = join(home, "taken-back");
    await walk("generate", takenBack, ["npm test", "npm run generate"]);
    expect(await walk("propose", takenBack)).toContain("Nothing to propose: Specification v1 → v3: none");
    expect(await ghCalls()).toEqual([
      list,
      "t0ken pr close 1 --comment There is nothing left to propose. Specification v1 → v3: none",
    ]);
    expect(await at("rev-parse", "specification")).toBe(commit);

    // From then on there is nothing to close; and if the scope comes again, it is proposed again.
    await walk("propose", takenBack);
    expect(await ghCalls()).toEqual([list]);
    expect(await walk("propose", artifact)).toContain(`Proposed already: ${title}`);
    expect((await ghCalls()).at(-1)).toMatch(/^t0ken pr create /);
  });

  test("what is no verdict is not proposed", async () => {
    const artifact = join(home, "broken");
    await mkdir(artifact);
    await writeFile(join(artifact, "verdict.md"), "error: no answer\n");
    await expect(walk("propose", artifact)).rejects.toThrow(/^error: \S+openapi is not there; see --help$/m);
    for (const name of ["openapi", "generated"]) await mkdir(join(artifact, name));
    await expect(walk("propose", artifact)).rejects.toThrow("must begin with a heading that carries the verdict");
    expect(await readdir(home)).not.toContain("calls");
  });
});

/** Stands for GitHub's command: notes what it is asked and knows one pull request once that is created. */
const gh = `#!/bin/sh
echo "$GH_TOKEN $*" >>"$GH_FOLDER/calls"
case "$1 $2" in
"pr list") [ ! -e "$GH_FOLDER/body.md" ] || echo 1 ;;
"pr close") rm "$GH_FOLDER/body.md" ;;
"pr create" | "pr edit") for last; do :; done; cp "$last" "$GH_FOLDER/body.md" ;;
esac
`;
