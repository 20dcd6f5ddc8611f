import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { execPath } from "node:process";
import { createInterface } from "node:readline";
import { expect, inject, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { run } from "../../../scripts/npm.js";

// The guide's Dockerfile and Compose service, step by step, with the packed package in place of the published one.

const guide = await readFile(new URL("../../../docs/emulator.md", import.meta.url), "utf8");
const block = (language: string) => new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, "ms").exec(guide)?.[1] ?? "";
/** The arguments of the Dockerfile's instruction. */
const instruction = (name: string) => new RegExp(`^${name} (.*)$`, "m").exec(block("dockerfile"))?.[1] ?? "";
const { services } = parse(block("yaml")) as { services: Record<string, { command: string[]; ports: string[] }> };

test("the guide's container installs, listens, responds and stops", async () => {
  const { version, engines } = JSON.parse(
    await readFile(new URL("../../../package.json", import.meta.url), "utf8"),
  ) as {
    version: string;
    engines: { node: string };
  };
  const [, major] = /^node:(\d+)-alpine$/.exec(instruction("FROM")) ?? [];
  expect(Number(major)).toBeGreaterThanOrEqual(Number(/\d+/.exec(engines.node)));

  const [npm = "", ...install] = instruction("RUN").split(" ");
  expect(install.pop()).toBe(`cybrid-customer-tokens@${version.split(".")[0]}`);
  const prefix = join(dirname(inject("project")), "container");
  await run(npm, [...install, "--prefix", prefix, "--prefer-offline", "--no-audit", "--no-fund", inject("tarball")]);

  const entrypoint = JSON.parse(instruction("ENTRYPOINT")) as string[];
  const [[name, { command, ports }] = ["", { command: [], ports: [] }]] = Object.entries(services);
  const port = Number(instruction("EXPOSE"));
  expect(ports).toEqual([`127.0.0.1:${port}:${port}`]);
  const [program = "", ...args] = [...entrypoint, ...command];
  const child = spawn(join(prefix, "bin", program), [...args, "--port", "0"], {
    env: { PATH: `${dirname(execPath)}:${process.env["PATH"]}` },
    stdio: ["ignore", "pipe", "ignore"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let url = "";
  for await (const line of createInterface(child.stdout)) {
    url ||= /http:\S+/.exec(line)?.[0] ?? "";
    if (line.startsWith("Press Ctrl-C")) break;
  }
  const discovery = await fetch(`${url}/.well-known/openid-configuration`);
  expect(await discovery.json()).toMatchObject({ issuer: `http://${name}:${port}` });
  const closed = once(child, "close");
  child.kill("SIGTERM");
  expect(await closed).toEqual([0, null]);
});
