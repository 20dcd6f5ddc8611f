import { copyFile, readFile, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { transform } from "esbuild";
import type { Setting } from "../../test/package/consumer/journey.js";
import { run } from "./npm.js";

const programs = fileURLToPath(new URL("../../test/package/consumer/", import.meta.url));

/** What came of each step of a journey. */
export type Outcomes = Record<string, string>;

/** What must come of them. */
export const expected: Outcomes = {
  bearer: "token",
  clientCredentials: "token",
  wrongSecret: "TokenRequestError 401 invalid_client",
  unknownCustomer: "ApiError 422 no_customer",
  shortGuid: "InvalidArgumentError customer_guid",
  noServer: "ConnectionError",
  noAnswer: "TimeoutError",
  api: "201 data",
};

/** What must come of them in a browser, where no secret is safe. */
export const expectedInBrowser: Outcomes = {
  ...expected,
  clientCredentials: "InvalidArgumentError auth",
  wrongSecret: "InvalidArgumentError auth",
};

/** A consumer's project with the package in it, and what its journey needs to find. */
export interface Consumer {
  folder: string;
  setting: Setting;
  /** Starts the emulator that the package brings. */
  startEmulator: StartEmulator;
  close(): Promise<void>;
}

// Not imported from src: what is tried here is the built one.
type StartEmulator = (options?: object) => Promise<{
  url: string;
  client: { clientId: string; clientSecret: string };
  customerGuid: string;
  counts: Readonly<Record<string, number>>;
  close(): Promise<void>;
}>;

/**
 * Puts the programs of `test/package/consumer` into a project that has the package installed, and starts what these talk
 * to.
 */
export async function createConsumer(folder: string): Promise<Consumer> {
  for (const name of ["journey", "program"]) {
    const source = await readFile(join(programs, `${name}.ts`), "utf8");
    await writeFile(join(folder, `${name}.js`), (await transform(source, { loader: "ts" })).code);
    const { code } = await transform(source, { loader: "ts", format: "cjs" });
    await writeFile(join(folder, `${name}.cjs`), code.replace("./journey.js", "./journey.cjs"));
  }
  await copyFile(join(programs, "worker.js"), join(folder, "worker.js"));

  const require = createRequire(join(folder, "program.cjs"));
  const { startEmulator } = require("cybrid-customer-tokens/emulator") as { startEmulator: StartEmulator };
  const emulator = await startEmulator();
  const hanging = await listen();
  const dead = await listen();
  await dead.close();

  const { url: baseUrl, client, customerGuid } = emulator;
  return {
    folder,
    setting: {
      baseUrl,
      deadUrl: dead.url,
      hangingUrl: hanging.url,
      bankToken: await bankToken(baseUrl, client.clientId, client.clientSecret),
      ...client,
      customerGuid,
      unknownGuid: "f".repeat(32),
    },
    startEmulator,
    async close() {
      await emulator.close();
      await hanging.close();
    },
  };
}

/**
 * Sends a consumer on its journey in a process of its own: Node, or what runs programs as Node does.
 *
 * @param file `program.js` imports the package, `program.cjs` requires it
 */
export async function journeyInProcess(
  command: readonly [string, ...string[]],
  { folder, setting }: Pick<Consumer, "folder" | "setting">,
  file = "program.js",
): Promise<{ versions: Record<string, string>; outcomes: Outcomes }> {
  const [program, ...args] = command;
  const { stdout } = await run(program, [...args, file, JSON.stringify(setting)], { cwd: folder, timeout: 60_000 });
  return JSON.parse(stdout) as { versions: Record<string, string>; outcomes: Outcomes };
}

async function bankToken(url: string, clientId: string, clientSecret: string): Promise<string> {
  const response = await fetch(`${url}/oauth/token`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ grant_type: "client_credentials", client_id: clientId, client_secret: clientSecret }),
  });
  const { access_token } = (await response.json()) as { access_token: string };
  return access_token;
}

/** A server that takes connections and never says a word. */
async function listen(): Promise<{ url: string; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("close", () => sockets.delete(socket)).on("error", () => {}));
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => void server.close(resolve));
    },
  };
}
