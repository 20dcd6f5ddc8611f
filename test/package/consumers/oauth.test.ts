import { existsSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { execPath } from "node:process";
import { fileURLToPath } from "node:url";
import { inject, onTestFinished, test, type TestContext } from "vitest";
import { PostCustomerTokenIdpModelScopesEnum } from "../../../generated/models/index.js";
import { cached, run } from "../../../scripts/npm.js";
import { emulatorOf } from "../pack.js";

// Clients that others wrote: each must work with the emulator.

const programs = fileURLToPath(new URL("oauth/", import.meta.url));
const requestsOauthlib = "2.0.0";

test.each([
  ["openid-client", "6.9.0"],
  ["simple-oauth2", "5.1.0"],
])("%s %s", async (name, version) => {
  // Beside the `node_modules` that it imports from.
  const program = join(await cached(`${name}@${version}`), "..", `${name}.mjs`);
  await copyFile(join(programs, `${name}.mjs`), program);
  await run(execPath, [program, ...(await startEmulator())]);
});

test(`requests-oauthlib ${requestsOauthlib} (Python)`, async (context) => {
  await needs(context, "python3", "-m", "pip", "--version");
  const target = fileURLToPath(new URL(`../../../.cache/packages/python/${requestsOauthlib}`, import.meta.url));
  if (!existsSync(join(target, "requests_oauthlib"))) {
    const pip = ["-m", "pip", "install", "--quiet", "--target", target, `requests-oauthlib==${requestsOauthlib}`];
    await run("python3", pip);
  }
  const program = join(programs, "requests_oauthlib_client.py");
  await run("python3", [program, ...(await startEmulator())], { env: { ...process.env, PYTHONPATH: target } });
});

test("Java's HttpClient with an authenticator", async (context) => {
  await needs(context, "java", "--version");
  await run("java", [join(programs, "HttpClientWithAuthenticator.java"), ...(await startEmulator())]);
});

/** Starts the package's emulator for the time of a test, and returns a program's arguments. */
async function startEmulator(): Promise<string[]> {
  // Credentials that are another text when they are form-encoded: not every client does that in a Basic header.
  const client = { clientId: "bank/1", clientSecret: "s+cr:t %41" };
  const emulator = await emulatorOf(inject("project")).startEmulator({ clients: [client] });
  onTestFinished(() => emulator.close());
  const [scope = ""] = Object.values(PostCustomerTokenIdpModelScopesEnum);
  return [emulator.url, client.clientId, client.clientSecret, emulator.customerGuid, scope];
}

async function needs({ skip }: TestContext, ...command: [string, ...string[]]): Promise<void> {
  const [program, ...args] = command;
  await run(program, args).catch(() => skip(`this machine cannot run ${command.join(" ")}`));
}
