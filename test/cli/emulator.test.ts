import { once } from "node:events";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { type Outcome, claims, run } from "../support/command-line.js";

const post = (url: string, path: string, body: unknown) =>
  fetch(`${url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });

/** Runs the command, and something with its URL while it runs. */
const runWhile = (args: readonly string[], work: (url: string) => Promise<unknown>) =>
  run(["emulator", "--port=0", ...args], {}, async ({ stdout }: Outcome) => work(/http:\S+/.exec(stdout)?.[0] ?? ""));

test("plays faults and lifetimes, and names no unknown path in its log", async () => {
  const fault = JSON.stringify({ path: "/oauth/token", status: 503, times: 1 });
  const args = ["--customer=any", "--customer-token-lifetime-seconds=60", `--fault=${fault}`];
  const ended = await runWhile(args, async (url) => {
    const create = ["create", "--base-url", url, "--customer", "f".repeat(32), "--scope", "customers:read"];
    const env = { CYBRID_CLIENT_ID: "emulator-client", CYBRID_CLIENT_SECRET: "emulator-secret" };
    const { stdout, status, stderr } = await run(create, env);
    await fetch(`${url}/canary`);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const { iat, exp } = claims(stdout);
    expect(exp - iat).toBe(60);
  });
  expect(ended).toMatchObject({
    status: 0,
    stderr:
      "POST /oauth/token 503\nPOST /oauth/token 200\nPOST /api/customer_tokens 201\nGET (unknown path) 404 not_found\n",
  });
});

test("takes an issuer and further clients, and is controlled while it runs", async () => {
  const reader = { clientId: "reader", clientSecret: "s", scopes: ["customers:read"] };
  const args = ["--issuer=http://identity:4010", `--client=${JSON.stringify(reader)}`];
  const { status, stderr } = await runWhile(args, async (url) => {
    const credentials = { grant_type: "client_credentials", client_id: "reader", client_secret: "s" };
    const refused = await post(url, "/oauth/token", { ...credentials, scope: "customers:write" });
    expect(await refused.json()).toMatchObject({ error: "invalid_scope" });
    const { access_token } = (await (await post(url, "/oauth/token", credentials)).json()) as { access_token: string };
    expect(claims(access_token).iss).toBe("http://identity:4010");
    for (const path of ["revoke-tokens", "rotate-key"]) {
      expect((await post(url, `/emulator/${path}`, {})).status).toBe(204);
    }
  });
  expect(status).toBe(0);
  expect(stderr).toMatch(/POST \/emulator\/revoke-tokens 204\nPOST \/emulator\/rotate-key 204\n$/);
});

test("a port in use: one sentence, exit status 1", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  expect(await run(["emulator", "--port", String(port)])).toEqual({
    status: 1,
    stdout: "",
    stderr: `error: port ${port} is in use: choose another with --port\n`,
  });
  await once(server.close(), "close");
});
