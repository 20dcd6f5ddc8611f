import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, readdir, readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import { execPath } from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, inject, onTestFinished } from "vitest";
import { run } from "../../../scripts/npm.js";
import { emulatorOf } from "../pack.js";

const source = fileURLToPath(new URL("next/", import.meta.url));
const routes = ["server-component", "handler", "raw-fetch", "forced-cache", "warm-cache", "connection"];

/**
 * Builds and starts an app that creates tokens, and requests each of its pages and routes. Those that show what Next can keep
 * have their own emulator, whose tokens and secret are then found.
 *
 * @param modules The `node_modules` folder that holds Next and React
 * @returns whose secret or tokens are in `.next/`
 */
export async function keptByNext(modules: string, name: string): Promise<string[]> {
  const folder = join(inject("project"), name);
  await cp(source, folder, { recursive: true });
  await symlink(modules, join(folder, "node_modules"));

  const settings: Record<string, object> = {};
  const secrets: Record<string, string[]> = {};
  for (const user of ["client", ...routes.slice(2)]) {
    const client = { clientId: user, clientSecret: crypto.randomUUID() };
    const emulator = await emulatorOf(inject("project")).startEmulator({ clients: [client] });
    onTestFinished(() => emulator.close());
    const token = await emulator.signToken();
    settings[user] = { baseUrl: emulator.url, customerGuid: emulator.customerGuid, token, ...client };
    // All tokens of an emulator begin with the same text, which names its key.
    const [start = ""] = token.split(".");
    secrets[user] = [...inAnyForm(client.clientSecret), ...inAnyForm(start)];
  }

  const next = join(modules, "next", "dist", "bin", "next");
  const options = {
    cwd: folder,
    // Next asks nobody: neither its makers nor, for the lock file of the project above, the registry.
    env: {
      ...process.env,
      NEXT_TELEMETRY_DISABLED: "1",
      NEXT_IGNORE_INCORRECT_LOCKFILE: "1",
      NODE_ENV: "production" as const,
      SETTINGS: JSON.stringify(settings),
    },
  };
  await run(execPath, [next, "build"], options);
  const server = spawn(execPath, [next, "start", "-H", "127.0.0.1", "-p", "0"], options);
  const ended = once(server, "exit");
  try {
    const url = await urlOf(createInterface(server.stdout));
    for (const route of [...routes, ...routes]) {
      const response = await fetch(`${url}/${route}`);
      expect(await response.text(), route).toContain("created");
    }
  } finally {
    server.kill();
    await ended;
  }

  const files = await readdir(join(folder, ".next"), { recursive: true, withFileTypes: true });
  const contents = await Promise.all(
    files.filter((file) => file.isFile()).map((file) => readFile(join(file.parentPath, file.name))),
  );
  return Object.keys(secrets).filter((user) =>
    secrets[user]?.some((text) => contents.some((content) => content.includes(text))),
  );
}

/** A text as it is, and within base64, in each of the three ways that its bytes can be grouped. */
function inAnyForm(text: string): string[] {
  const shifted = ["", " ", "  "].map((before) => Buffer.from(before + text).toString("base64"));
  // The first and the last four digits depend on the text around it.
  return [text, ...shifted.map((base64) => base64.slice(4, -4))];
}

async function urlOf(lines: AsyncIterable<string>): Promise<string> {
  for await (const line of lines) {
    const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(line) ?? [];
    if (url !== undefined) return url;
  }
  throw new Error("next start ended before it listened");
}
