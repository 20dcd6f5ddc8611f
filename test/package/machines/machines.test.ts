import { existsSync } from "node:fs";
import { copyFile, mkdir, readdir, readFile, realpath, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { versions } from "node:process";
import { expect, inject, test, vi } from "vitest";
import { step } from "../../../scripts/cli.js";
import { cached, cachedNode, run } from "../../../scripts/npm.js";
import { runProgram } from "../journey.js";
import { nodes } from "../../support/nodes.js";
import { copyRepository, gitRepository } from "../../support/repository.js";

// `npm run test:machines`: README's two commands in fresh copies of this repository, on different machines. This
// machine's own Node is left out: everything else runs on it.

const timeoutMs = 3600_000;
vi.setConfig({ testTimeout: timeoutMs });

const folder = join(inject("project"), "..");
// Without the folders and variables that npm and vitest add for this run.
const paths = (process.env["PATH"] ?? "").split(":").filter((path) => !path.includes("node_modules"));
const isOfThisRun = (name: string) => /^(?:npm_(?!config_registry$)|VITEST|NODE_ENV$|LONG$)/.test(name);
const env: NodeJS.ProcessEnv = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !isOfThisRun(name))),
  PATH: paths.join(":"),
};

const readme = await readFile(new URL("../../../README.md", import.meta.url), "utf8");
const [start = "", proof = ""] = readme.match(/^npm ci && npm \w+/gm) ?? [];
/** The part of the proof that depends on the Node; the newest runs all of it. */
const part =
  "npx oxlint && npx vitest run test/package test/src/http test/long/load test/src/emulator test/src/cli test/src/auth";

const repository = await gitRepository(join(folder, "machines"));
const others = Object.entries(nodes).filter(([node]) => node.split(".")[0] !== versions.node.split(".")[0]);

test("README says two commands", () => {
  expect([start, proof]).toEqual(["npm ci && npm start", "npm ci && npm test"]);
});

for (const [node, npm] of others) {
  const isNewest = node === Object.keys(nodes).at(-1);

  test(`Node ${node} with npm ${npm}: a clone${isNewest ? " in a folder that is not ASCII, in the locale C" : ""}`, async () => {
    const clone = join(folder, isNewest ? "my projects/ü" : node, "clone");
    const on = { ...(await environmentOf(node, npm)), ...(isNewest && { LC_ALL: "C" }) };
    await shell(folder, on, `git clone --quiet "${repository.url}" "${clone}"`);
    expect(await shell(clone, on, "node --version && npm exec --call 'node --version' && npm --version")).toBe(
      `v${node}\nv${node}\n${npm}\n`,
    );
    await shell(clone, on, start);
    await shell(clone, on, isNewest ? proof : part);
  });

  test(`Node ${node} with npm ${npm}: a project that installs from a git URL`, async () => {
    const consumer = join(folder, `consumer-${node}`);
    await mkdir(consumer);
    const on = await environmentOf(node, npm);
    await shell(consumer, on, `npm init --yes && npm install --no-audit --no-fund "git+${repository.url}"`);
    await copyFile(join(inject("project"), "program.cjs"), join(consumer, "program.cjs"));
    await runProgram([await cachedNode(node)], "program.cjs", consumer);
  });
}

test("a copy without history, installed without scripts, on a machine without git", async () => {
  const [copy, bin] = [join(folder, "copy"), join(folder, "bin")];
  await copyRepository(copy);
  await mkdir(bin);
  for (const path of paths)
    for (const name of await readdir(path).catch(() => []))
      // The first in the PATH is there already.
      if (!name.startsWith("git")) await symlink(join(path, name), join(bin, name)).catch(() => {});
  // Whatever needs git is skipped there.
  const on = { ...env, PATH: bin, REQUIRE_ALL: "" };
  await expect(shell(copy, on, "git --version")).rejects.toThrow("not found");
  await shell(copy, on, "npm ci --ignore-scripts && npm test");
  await shell(copy, on, "npm ci --ignore-scripts && npm start");
});

// Where Debian and its like put each Java, from 11 on, several names for one among them.
const names = (await readdir("/usr/lib/jvm").catch(() => [])).filter((name) => /-(?:1[1-9]|[2-9]\d)-/.test(name));
const javas = names.map((name) => `/usr/lib/jvm/${name}/bin/java`);
const programs = await Promise.all(javas.filter((java) => existsSync(java)).map((java) => realpath(java)));
test.for([...new Set(programs)])("Java at %s", async (java) => {
  await shell(process.cwd(), { ...env, PATH: `${dirname(java)}:${env["PATH"]}` }, "npm run generate -- --check");
});

/** With a Node first in the PATH, and its npm. */
async function environmentOf(node: string, npm: string): Promise<NodeJS.ProcessEnv> {
  const programs = [dirname(await cachedNode(node)), join(await cached(`npm@${npm}`), ".bin")];
  return { ...env, PATH: [...programs, env["PATH"]].join(":") };
}

/** Runs a command line and prints its time. Returns its output; the error of a failure has the end of it. */
function shell(cwd: string, on: NodeJS.ProcessEnv, command: string): Promise<string> {
  const output = run("sh", ["-c", command], { cwd, env: on, maxBuffer: Infinity, timeoutMs });
  return step(command, () =>
    output.then(
      ({ stdout }) => stdout,
      ({ message, stdout = message, stderr = "" }: Record<string, string>) => {
        const end = `${stdout}\n${stderr}`.trim().split("\n").slice(-60);
        // No line of it may pass for the tally of this run.
        throw new Error([`${command} failed:`, ...end].join("\n  | "));
      },
    ),
  );
}
