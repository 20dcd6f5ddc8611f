import { execFile } from "node:child_process";
import { createServer, request as forward } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { promisify } from "node:util";
import { expect, onTestFinished } from "vitest";
import { startEmulator } from "../../src/emulator/emulator.js";
import { claims, guid } from "./service.js";

/** A proxy as companies have them: tunnels for whoever asks, and takes requests with whole URLs. Records both. */
async function startProxy(): Promise<{ address: string; seen: string[] }> {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(request.url ?? "");
    const { method, headers, url = "" } = request;
    request.pipe(
      forward(url, { method, headers }, (incoming) => {
        response.writeHead(incoming.statusCode ?? 500, incoming.headers);
        incoming.pipe(response);
      }),
    );
  });
  server.on("connect", ({ url = "" }, socket) => {
    seen.push(url);
    const { hostname, port } = new URL(`http://${url}`);
    const target = connect(Number(port), hostname, () => socket.write("HTTP/1.1 200 OK\r\n\r\n"));
    for (const end of [socket, target]) end.on("error", () => {});
    socket.pipe(target).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => server.closeAllConnections());
  onTestFinished(() => void server.close());
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

/** Runs `create` with a Node, and asserts that it obeys the variables that name a proxy, or says that it does not. */
export async function expectToObeyProxy(node: string, cli: string): Promise<void> {
  const [emulator, proxy] = await Promise.all([startEmulator(), startProxy()]);
  onTestFinished(() => emulator.close());
  const { clientId, clientSecret } = emulator.client;
  const run = async (variables: Record<string, string>) => {
    const env = { CYBRID_CLIENT_ID: clientId, CYBRID_CLIENT_SECRET: clientSecret, ...variables };
    const args = [cli, "create", "--base-url", emulator.url, "--customer", guid, "--scope", "customers:read"];
    proxy.seen.length = 0;
    const ended = promisify(execFile)(node, [...args, "--timeout-ms=2000"], { env, timeout: 20_000 });
    const { stdout, stderr, code } = await ended.then(
      (outcome) => ({ ...outcome, code: 0 }),
      (error: unknown) => error as { stdout: string; stderr: string; code: number },
    );
    return { code, stderr, isToken: stdout !== "" && claims(stdout).sub === guid, asked: proxy.seen.length > 0 };
  };
  const { stdout } = await promisify(execFile)(node, [
    "-p",
    "process.allowedNodeEnvironmentFlags.has('--use-env-proxy')",
  ]);
  const obeys = stdout.trim() === "true";
  const token = { code: 0, isToken: true, asked: false, stderr: "" };
  const warning = "warning: this Node ignores HTTPS_PROXY and HTTP_PROXY; Node 22.21 and newer use them\n";
  const through = obeys ? { ...token, asked: true } : { ...token, stderr: warning };
  expect(await run({ HTTP_PROXY: `http://${proxy.address}` })).toEqual(through);
  // As curl takes it.
  expect(await run({ http_proxy: proxy.address })).toEqual(through);
  expect(await run({ HTTP_PROXY: "", NO_PROXY: "127.0.0.1" })).toEqual(token);
  expect(await run({ HTTP_PROXY: "http://127.0.0.1:2", NO_PROXY: "127.0.0.1" })).toEqual({
    ...token,
    stderr: obeys ? "" : warning,
  });
  if (!obeys) return;
  // What did not respond is named: the proxy.
  const { code, stderr } = await run({ HTTP_PROXY: "http://127.0.0.1:2" });
  expect([code, stderr]).toEqual([
    1,
    expect.stringMatching(/^error: no answer .*connect ECONNREFUSED 127\.0\.0\.1:2\n$/),
  ]);
}
