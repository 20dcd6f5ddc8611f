import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, dirname, join, relative } from "node:path";
import { UserError, flag, parseOptions, root, runIfMain, text } from "./cli.js";
import type { Emulator } from "./docs/page.js";
import { displayPath, readTree } from "./generate/files.js";
import { readSpec } from "./spec/read.js";

const cache = join(root, ".cache", "docs");

const help = `Usage: npm run docs -- [OPTION]...

Builds the reference in generated/docs as one page that loads nothing else: .cache/docs/index.html

  --spec FILE another spec; its pages are in the folder "generated" next to it
  --serve     starts the emulator and serves the page on this machine, with forms that send requests to it
  --port N    the served page's port (default: any that is free)
  -h, --help  show this page`;

/**
 * The reference as one HTML page: the same bytes for the same description.
 *
 * @param spec another description than the project's; its pages are in the folder "generated" next to it
 */
export async function buildPage(emulator?: Emulator, spec?: string): Promise<string> {
  const out = spec === undefined ? undefined : join(dirname(spec), "generated");
  const folder = join(out ?? join(root, "generated"), "docs");
  const files = await readTree(folder);
  if (files.size === 0) {
    const { commandFor } = await import("./generate.js");
    throw new UserError(`there are no pages in ${displayPath(folder)}: run \`${commandFor({ spec, out })}\` first`);
  }
  const { inspectDocs } = await import("./generate/inspect.js");
  inspectDocs(files);
  const pages = new Map([...files].map(([path, text]) => [basename(path, ".md"), text]));
  const { renderPage } = await import("./docs/page.js");
  return renderPage(await readSpec(spec ?? join(root, "openapi", "customer-tokens.yaml")), pages, emulator);
}

/** Serves the page and an emulator that its forms send requests to, both on loopback. Port 0 is any that is free. */
export async function serveDocs(port: number): Promise<{ url: string; close(): Promise<void> }> {
  const { startEmulator } = await import("../src/emulator/emulator.js");
  // The page has one bank token as long as it is served.
  const emulator = await startEmulator({ bankTokenLifetimeSeconds: 86_400 });
  const { clientId: client_id, clientSecret: client_secret } = emulator.client;
  const page = await buildPage({
    url: emulator.url,
    token: await emulator.signToken(),
    bodies: {
      createCustomerToken: { customer_guid: emulator.customerGuid, scopes: ["customers:read", "accounts:read"] },
      createAccessToken: { grant_type: "client_credentials", client_id, client_secret },
    },
  });
  const headers = { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" };
  const server = createServer(({ url }, response) => {
    if (url === "/") response.writeHead(200, headers).end(page);
    else response.writeHead(404).end();
  });
  const close = async (): Promise<void> => {
    server.close();
    server.closeAllConnections();
    await emulator.close();
  };
  try {
    await once(server.listen(port, "127.0.0.1"), "listening");
  } catch (error) {
    await close();
    const taken = (error as NodeJS.ErrnoException).code === "EADDRINUSE";
    throw taken ? new UserError(`port ${port} is in use: choose another with --port`) : error;
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, close };
}

await runIfMain(import.meta.filename, async (args) => {
  const given = parseOptions(args, { spec: text, serve: flag, port: text }, help);
  if (given === undefined) return;
  const { spec, serve, port = "0" } = given.values;
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535)
    throw new UserError("--port: expected a port number; see --help");
  if (spec !== undefined && serve)
    throw new UserError("--spec and --serve exclude each other: the emulator serves the project's own spec");
  const file = join(cache, "index.html");
  await mkdir(cache, { recursive: true });
  await writeFile(file, await buildPage(undefined, spec));
  console.log(`${relative("", file)} written`);
  if (!serve) return;
  const { url, close } = await serveDocs(Number(port));
  console.log(`served with forms to try it at ${url}; Ctrl-C stops it`);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void close());
});
