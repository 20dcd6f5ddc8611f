import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { type Outcome, run, withoutTimes } from "../../support/command-line.js";
import { claims } from "../../support/service.js";
import { treeForAll } from "../../support/tree.js";

const { put } = treeForAll();

const grant = { grant_type: "client_credentials", client_id: "emulator-client", client_secret: "emulator-secret" };

const post = (url: string, path: string, body: unknown) =>
  fetch(`${url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });

/** Runs the command, and something with its URL while it runs. */
const runWhile = (args: readonly string[], work: (url: string) => Promise<unknown>) =>
  run(["emulator", "--port=0", ...args], {}, async ({ stdout }: Outcome) => work(/http:\S+/.exec(stdout)?.[0] ?? ""));

test("injects faults, and says in its log when, what and why, but names no unknown path", async () => {
  const faults = [
    { path: "/oauth/token", status: 503, times: 1 },
    { path: "/api/customer_tokens", reset: "after" },
    { path: "/api/customer_tokens", status: 401, body: { message_code: "x", error_message: "a\u001b[2Jb\u202e" } },
  ];
  const args = ["--customer=any", "--customer-token-lifetime-seconds=60", "--token-requests=3"];
  const ended = await runWhile([...args, ...faults.map((fault) => `--fault=${JSON.stringify(fault)}`)], async (url) => {
    const create = ["create", "--base-url", url, "--customer", "f".repeat(32), "--scope", "customers:read"];
    const env = { CYBRID_CLIENT_ID: "emulator-client", CYBRID_CLIENT_SECRET: "emulator-secret" };
    const { stdout, stderr } = await run(create, { ...env, CYBRID_CLIENT_SECRET: "canary" });
    expect({ stdout, stderr }).toMatchObject({
      stdout: "",
      stderr: expect.stringContaining("invalid_client") as string,
    });
    expect((await run(create, env)).stderr).toContain("401");
    const { access_token } = (await (await post(url, "/oauth/token", grant)).json()) as { access_token: string };
    const { stdout: token } = await run(create, { CYBRID_ACCESS_TOKEN: access_token });
    const { iat, exp } = claims(token);
    expect(exp - iat).toBe(60);
    await post(url, "/oauth/token", grant);
    await fetch(`${url}/canary`);
  });
  expect({ ...ended, stderr: withoutTimes(ended.stderr) }).toMatchObject({
    status: 0,
    stderr: `TIME POST /oauth/token 503 (fault)
TIME POST /oauth/token 401 invalid_client: Client authentication failed
TIME POST /oauth/token 200
TIME POST /api/customer_tokens reset (fault)
TIME POST /api/customer_tokens 401 x: a [2Jb  (fault)
TIME POST /oauth/token 200
TIME POST /api/customer_tokens 201
TIME POST /oauth/token 429 Too many requests
TIME GET (unknown path) 404 not_found: Not found
`,
  });
});

test("takes every option, and is controlled while it runs", async () => {
  const reader = { clientId: "reader", clientSecret: "s", scopes: ["customers:read"] };
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const key = await put("key.pem", privateKey.export({ type: "pkcs8", format: "pem" }));
  const args = ["--issuer=http://identity:4010", `--client=${JSON.stringify(reader)}`, "--host", "localhost"];
  args.push("--omit-expires-in", "--algorithm=RS512", "--signing-key", key, "--quotas");
  const keys: unknown[] = [];
  const { status, stderr } = await runWhile(args, async (url) => {
    expect(url).toMatch(/^http:\/\/localhost:\d+$/);
    const credentials = { grant_type: "client_credentials", client_id: "reader", client_secret: "s" };
    const refused = await post(url, "/oauth/token", { ...credentials, scope: "customers:write" });
    expect(await refused.json()).toMatchObject({ error: "invalid_scope" });
    const body = (await (await post(url, "/oauth/token", credentials)).json()) as { access_token: string };
    expect(Object.keys(body)).toEqual(["access_token", "token_type", "scope"]);
    expect(claims(body.access_token).iss).toBe("http://identity:4010");
    expect(Buffer.from(body.access_token.split(".")[0] ?? "", "base64url").toString()).toContain('"RS512"');
    keys.push(await (await fetch(`${url}/.well-known/jwks.json`)).json());
    // The service's own quota: 20 in five minutes.
    const statuses = [];
    for (let count = 2; count < 21; count++) statuses.push((await post(url, "/oauth/token", credentials)).status);
    expect([statuses.at(-2), statuses.at(-1)]).toEqual([200, 429]);
    for (const path of ["revoke-tokens", "rotate-key"]) {
      expect((await post(url, `/emulator/${path}`, {})).status).toBe(204);
    }
  });
  expect(status).toBe(0);
  expect(withoutTimes(stderr)).toMatch(/POST \/emulator\/revoke-tokens 204\nTIME POST \/emulator\/rotate-key 204\n$/);
  await runWhile(args, async (url) => keys.push(await (await fetch(`${url}/.well-known/jwks.json`)).json()));
  expect(keys[1]).toEqual(keys[0]);
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
