import { existsSync } from "node:fs";
import { copyFile, mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { execPath } from "node:process";
import { fileURLToPath } from "node:url";
import { PostCustomerTokenIdpModelScopesEnum } from "../../generated/models/index.js";
import type { Consumer } from "./journey.js";
import { cached, run } from "./npm.js";
import type { Project } from "./projects.js";

const programs = fileURLToPath(new URL("../../test/package/oauth/", import.meta.url));
const pythonPackages = fileURLToPath(new URL("../../.cache/packages/python", import.meta.url));
const [openidClient, simpleOauth2, requestsOauthlib] = ["6.9.0", "5.1.0", "2.0.0"];

/** What cannot be had on this machine, and why. */
export class Missing extends Error {}

/** Clients that others wrote: each must work with the emulator. */
export const oauthClients: readonly Project[] = [
  {
    title: "Emulator: openid-client",
    version: openidClient,
    run: (consumer) => inNode(consumer, "openid-client", openidClient),
  },
  {
    title: "Emulator: simple-oauth2",
    version: simpleOauth2,
    run: (consumer) => inNode(consumer, "simple-oauth2", simpleOauth2),
  },
  {
    title: "Emulator: requests-oauthlib (Python)",
    version: requestsOauthlib,
    async run(consumer) {
      await needs("python3", "--version");
      const target = join(pythonPackages, requestsOauthlib);
      if (!existsSync(join(target, "requests_oauthlib"))) {
        const pip = ["-m", "pip", "install", "--quiet", "--target", target, `requests-oauthlib==${requestsOauthlib}`];
        await run("python3", pip);
      }
      const program = join(programs, "requests_oauthlib_client.py");
      await withEmulator(consumer, (args) =>
        run("python3", [program, ...args], { env: { ...process.env, PYTHONPATH: target } }),
      );
    },
  },
  {
    title: "Emulator: Java's HttpClient with an authenticator",
    version: "11 or newer",
    async run(consumer) {
      await needs("java", "--version");
      await withEmulator(consumer, (args) =>
        run("java", [join(programs, "HttpClientWithAuthenticator.java"), ...args]),
      );
    },
  },
];

async function inNode(consumer: Consumer, name: string, version: string): Promise<void> {
  const folder = join(consumer.folder, `oauth-${name}`);
  await mkdir(folder);
  await symlink(await cached(`${name}@${version}`), join(folder, "node_modules"));
  await copyFile(join(programs, `${name}.mjs`), join(folder, "program.mjs"));
  await withEmulator(consumer, (args) => run(execPath, [join(folder, "program.mjs"), ...args]));
}

/** Credentials that are another text when they are form-encoded: not every client does that in a Basic header. */
const client = { clientId: "bank/1", clientSecret: "s+cr:t %41" };

async function withEmulator(consumer: Consumer, work: (args: string[]) => Promise<unknown>): Promise<void> {
  const emulator = await consumer.startEmulator({ clients: [client] });
  try {
    const [scope = ""] = Object.values(PostCustomerTokenIdpModelScopesEnum);
    await work([emulator.url, client.clientId, client.clientSecret, emulator.customerGuid, scope]);
  } finally {
    await emulator.close();
  }
}

async function needs(program: string, ...args: string[]): Promise<void> {
  await run(program, args).catch(() => {
    throw new Missing(`there is no ${program} on this machine`);
  });
}
