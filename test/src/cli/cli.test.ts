import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { build, type Metafile } from "esbuild";
import { beforeAll, describe, expect, test } from "vitest";
import { withoutTimes } from "../../support/command-line.js";
import { isPosix } from "../../support/mode.js";
import { has, needs } from "../../support/needs.js";
import { expectToObeyProxy } from "../../support/proxy.js";
import { claims, guid } from "../../support/service.js";
import { treeForAll } from "../../support/tree.js";

const { at } = treeForAll();
let bin: string;
let metafile: Metafile;

beforeAll(async () => {
  bin = at("dist", "cli.js");
  ({ metafile } = await build({
    entryPoints: ["src/cli/cli.ts"],
    outdir: at("dist"),
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    metafile: true,
  }));
  await copyFile("package.json", at("package.json"));
});

const run = (...args: string[]) => promisify(execFile)(process.execPath, [bin, ...args], { env: {}, timeout: 20_000 });

function launch(...args: string[]) {
  const child = spawn(process.execPath, [bin, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let stderr = "";
  child.stderr.on("data", (chunk) => (stderr += String(chunk)));
  const end = once(child, "close").then(([status]: (number | null)[]) => ({ status, stderr }));
  return { child, end };
}

describe("as a process", () => {
  test("the exit status and both streams are the command's", async () => {
    expect(await run("--version")).toEqual({ stdout: expect.stringMatching(/^cybrid-customer-tokens \d/), stderr: "" });
    await expect(run("create")).rejects.toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringMatching(/^error: --customer GUID is missing\n/),
    });
  });

  test("create obeys HTTPS_PROXY and NO_PROXY, or says that this Node does not", async () => {
    await expectToObeyProxy(process.execPath, bin);
  });

  test("modules of the emulator are not loaded", () => {
    const loaded = new Set<string>();
    const visit = (output: string) => {
      const { inputs, imports } = metafile.outputs[output] ?? { inputs: {}, imports: [] };
      for (const input of Object.keys(inputs)) loaded.add(input);
      for (const { path, kind } of imports) if (kind === "import-statement") visit(path);
    };
    visit(Object.keys(metafile.outputs).find((output) => output.endsWith("/cli.js")) ?? "");
    const names = [...loaded];
    expect(names).toContain("src/client.ts");
    expect(names.filter((name) => /src\/emulator|ajv|jose|generated\/(?:spec|emulator)/.test(name))).toEqual([]);
  });

  test("a reader that stops reading is not a failure", async () => {
    const { child, end } = launch("scopes");
    child.stdout.destroy();
    expect(await end).toEqual({ status: 0, stderr: "" });
  });
  /** Starts it, and returns its output up to its last line. */
  async function start(...args: string[]) {
    const { child, end } = launch("emulator", ...args);
    const lines: string[] = [];
    for await (const line of createInterface(child.stdout)) {
      lines.push(line);
      if (line.startsWith("Press Ctrl-C")) break;
    }
    const stdout = `${lines.join("\n")}\n`;
    const url = /http:\S+/.exec(stdout)?.[0] ?? "";
    const stop = (signal: NodeJS.Signals) => {
      child.kill(signal);
      return end;
    };
    return { stdout, url, stop };
  }

  test.runIf(isPosix)("prints a curl line that works, logs without secrets, and stops on SIGTERM", async (context) => {
    needs(context, has("curl"), "there is no curl");
    const { stdout, url, stop } = await start("--port", "0", "--client-secret", "it's a canary");
    expect(stdout.replaceAll(url, "URL")).toMatchInlineSnapshot(`
        "Emulator of the Cybrid Identity API, for tests only: URL

          client id      emulator-client
          client secret  it's a canary
          customer guid  0123456789abcdef0123456789abcdef
          key set        URL/.well-known/jwks.json

        Create a customer token:

          curl -sS URL/api/customer_tokens -H "Authorization: Bearer $(curl -sS URL/oauth/token -H 'Content-Type: application/json' -d '{"grant_type":"client_credentials","client_id":"emulator-client","client_secret":"it'\\''s a canary"}' | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')" -H 'Content-Type: application/json' -d '{"customer_guid":"0123456789abcdef0123456789abcdef","scopes":["customers:read"]}'

        Press Ctrl-C to stop it.
        "
      `);
    const line = stdout.split("\n").find((text) => text.includes("curl")) ?? "";
    const { status, output } = await shell(`${line} -w '\n%{http_code}\n'`);
    const { status: stopped, stderr } = await stop("SIGTERM");
    const [created = "", code] = output.split("\n");
    expect({ status, code, stopped }).toEqual({ status: 0, code: "201", stopped: 0 });
    expect(claims((JSON.parse(created) as { access_token: string }).access_token)).toMatchObject({ sub: guid });
    expect(withoutTimes(stderr)).toBe("TIME POST /oauth/token 200\nTIME POST /api/customer_tokens 201\n");
  });

  test.runIf(isPosix)("stops on SIGINT", async () => {
    const { stop } = await start("--port=0");
    expect(await stop("SIGINT")).toEqual({ status: 0, stderr: "" });
  });
});

function shell(line: string): Promise<{ status: number | string; output: string }> {
  return new Promise((resolve) => {
    execFile("sh", ["-c", line], (error, stdout, stderr) => {
      resolve({ status: error?.code ?? 0, output: `${stdout}${stderr}` });
    });
  });
}
