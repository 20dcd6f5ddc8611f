import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Emulator, type Fault, startEmulator } from "../../../src/emulator/emulator.js";
import { PostCustomerTokenIdpModelScopesEnum } from "../../../src/index.js";
import { run } from "../../support/command-line.js";
import { claims, guid } from "../../support/service.js";
import { freePort } from "../../support/wire.js";

const secret = "canary-client-secret";
const bank = { CYBRID_CLIENT_ID: "bank", CYBRID_CLIENT_SECRET: secret };
const [first = "", second = ""] = Object.values<string>(PostCustomerTokenIdpModelScopesEnum);
let emulator: Emulator;

beforeAll(async () => {
  emulator = await startEmulator({
    clients: [
      { clientId: "bank", clientSecret: secret },
      { clientId: "reader", clientSecret: secret, scopes: ["customers:read"] },
    ],
  });
});
afterAll(() => emulator.close());

const create = (...args: string[]) => ["create", "--base-url", emulator.url, "--customer", guid, ...args];

describe("create", () => {
  test("prints the token alone", async () => {
    const { status, stdout, stderr } = await run(create("--scope", first, `--scope=${second}`), bank);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    expect(claims(stdout)).toMatchObject({ sub: guid, scope: [first, second] });
  });

  test("--json prints the response and its expiry", async () => {
    const { status, stdout, stderr } = await run(create("--scope", first, "--json"), bank);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const answer = JSON.parse(stdout) as { access_token: string; expires_at: string };
    expect(Object.keys(answer)).toEqual(["access_token", "expires_at"]);
    expect(answer.expires_at).toBe(new Date(claims(answer.access_token).exp * 1000).toISOString());
  });

  test("uses CYBRID_ACCESS_TOKEN and then asks for no bank token", async () => {
    const env = { ...bank, CYBRID_ACCESS_TOKEN: await emulator.signToken() };
    const asked = emulator.counts["/oauth/token"];
    const { status, stderr } = await run(create("--scope", first), env);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(emulator.counts["/oauth/token"]).toBe(asked);
  });

  const refused: [
    title: string,
    env: Record<string, string>,
    stderr: string,
    args?: string[],
    fault?: Omit<Fault, "path">,
  ][] = [
    [
      "a wrong secret",
      { CYBRID_CLIENT_SECRET: "canary-wrong" },
      "error: the token request was refused with 401 (invalid_client: Client authentication failed)\n",
    ],
    [
      "a bank token that is none",
      { CYBRID_ACCESS_TOKEN: "canary-token" },
      "error: the service answered 401 (authentication_failed: Signature verification raised)\n",
    ],
    [
      "a client that may not write",
      { CYBRID_CLIENT_ID: "reader" },
      "error: the token request was refused with 400 (invalid_scope: The client may not have this scope)\n",
    ],
    [
      "an unknown scope is sent, with a warning",
      {},
      `warning: this version knows no scope '${first}x'\nerror: the service answered 422 (invalid_parameter: ` +
        "Invalid parameter: scopes/1 must be equal to one of the allowed values)\n",
      ["--scope", `${first}x`],
    ],
    [
      "text of a server stays on its line, and away from the terminal",
      {},
      "error: the token request was refused with 401 (invalid_client: no fake: ok [2J )\n",
      [],
      { status: 401, body: { error: "invalid_client", error_description: "no\r\nfake: ok\u001b[2J\u202e" } },
    ],
    [
      "a server that hangs: ends after --timeout-ms",
      {},
      "error: no complete answer within 200 ms\n",
      ["--timeout-ms", "200"],
      { delayMs: Infinity },
    ],
    [
      "a quota: says when to try again",
      {},
      "error: the token request was refused with 429 (text/html); try again in 120 seconds\n",
      [],
      { status: 429, headers: { "retry-after": "120", "content-type": "text/html" }, body: "<h1>Too many</h1>" },
    ],
  ];

  test.each(refused)("%s", async (_, env, stderr, args = [], fault) => {
    if (fault) emulator.play({ path: "/oauth/token", ...fault });
    const outcome = await run(create("--scope", first, ...args), { ...bank, ...env });
    expect(outcome).toEqual({ status: 1, stdout: "", stderr });
    expect(JSON.stringify(outcome)).not.toContain("canary");
  });

  test("an unknown customer, and no server: one sentence that says why", async () => {
    const args = ["create", "--base-url", emulator.url, "--customer", "f".repeat(32), "--scope", first];
    const stderr = "error: the service answered 422 (no_customer: Unknown customer)\n";
    expect(await run(args, bank)).toEqual({ status: 1, stdout: "", stderr });
    const host = `127.0.0.1:${await freePort()}`;
    expect(await run(["create", "--base-url", `http://${host}`, "--customer", guid, "--scope", first], bank)).toEqual({
      status: 1,
      stdout: "",
      stderr: `error: no answer from ${host} (ECONNREFUSED): connect ECONNREFUSED ${host}\n`,
    });
  });
});
