import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Emulator, startEmulator } from "../../../src/emulator/emulator.js";
import { PostCustomerTokenIdpModelScopesEnum } from "../../../src/index.js";
import { claims, run } from "../../support/command-line.js";
import { freePort } from "../../support/wire.js";

const guid = "0123456789abcdef0123456789abcdef";
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

  test("sends a scope that it does not know, with a warning", async () => {
    expect(await run(create("--scope", `${first}x`), bank)).toEqual({
      status: 1,
      stdout: "",
      stderr:
        `warning: this version knows no scope '${first}x'\n` +
        "error: the service answered 422 (invalid_parameter: Invalid parameter: scopes/0 must be equal to one of the allowed values)\n",
    });
  });

  const refused: [title: string, env: Record<string, string>, message: string][] = [
    [
      "a wrong secret",
      { CYBRID_CLIENT_SECRET: "canary-wrong" },
      "the token request was refused with 401 (invalid_client: Client authentication failed)",
    ],
    [
      "a bank token that is none",
      { CYBRID_ACCESS_TOKEN: "canary-token" },
      "the service answered 401 (authentication_failed: Signature verification raised)",
    ],
    [
      "a client that may not write",
      { CYBRID_CLIENT_ID: "reader" },
      "the token request was refused with 400 (invalid_scope: The client may not have this scope)",
    ],
  ];

  test.each(refused)("%s: one sentence with status and code, exit status 1", async (_, env, message) => {
    const outcome = await run(create("--scope", first), { ...bank, ...env });
    expect(outcome).toEqual({ status: 1, stdout: "", stderr: `error: ${message}\n` });
    expect(JSON.stringify(outcome)).not.toContain("canary");
  });

  test("what a server says stays on its line, and away from the terminal", async () => {
    const body = { error: "invalid_client", error_description: "no\r\nfake: ok\u001b[2J\u202e" };
    emulator.play({ path: "/oauth/token", status: 401, body, nth: emulator.counts["/oauth/token"] + 1 });
    expect(await run(create("--scope", first), bank)).toEqual({
      status: 1,
      stdout: "",
      stderr: "error: the token request was refused with 401 (invalid_client: no fake: ok [2J )\n",
    });
  });

  test("an unknown customer: one sentence with status and code, exit status 1", async () => {
    const args = ["create", "--base-url", emulator.url, "--customer", "f".repeat(32), "--scope", first];
    const stderr = "error: the service answered 422 (no_customer: Unknown customer)\n";
    expect(await run(args, bank)).toEqual({ status: 1, stdout: "", stderr });
  });

  test("no server: one sentence that says why", async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const outcome = await run(["create", "--base-url", url, "--customer", guid, "--scope", "a:b"], bank);
    expect(outcome.stderr).toMatch(
      /^warning: .*\nerror: no answer from 127\.0\.0\.1:\d+ \(ECONNREFUSED\): connect ECONNREFUSED 127\.0\.0\.1:\d+\n$/,
    );
    expect(outcome.status).toBe(1);
  });

  test("a server that hangs: ends after --timeout-ms", async () => {
    emulator.play({ path: "/oauth/token", delayMs: Infinity, nth: emulator.counts["/oauth/token"] + 1 });
    expect(await run(create("--scope", first, "--timeout-ms", "200"), bank)).toEqual({
      status: 1,
      stdout: "",
      stderr: "error: no complete answer within 200 ms\n",
    });
  });

  test("a quota: says when to try again", async () => {
    emulator.play({
      path: "/oauth/token",
      status: 429,
      headers: { "retry-after": "120", "content-type": "text/html" },
      body: "<h1>Too many</h1>",
    });
    expect(await run(create("--scope", first), bank)).toEqual({
      status: 1,
      stdout: "",
      stderr: "error: the token request was refused with 429 (text/html); try again in 120 seconds\n",
    });
  });
});
