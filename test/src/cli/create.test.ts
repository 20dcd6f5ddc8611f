import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Emulator, type Fault, startEmulator } from "../../../src/emulator/emulator.js";
import { PostCustomerTokenIdpModelScopesEnum } from "../../../src/index.js";
import { fill, readCases } from "../../support/cases.js";
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
    const created = JSON.parse(stdout) as { access_token: string; expires_at: string };
    expect(Object.keys(created)).toEqual(["access_token", "expires_at"]);
    expect(created.expires_at).toBe(new Date(claims(created.access_token).exp * 1000).toISOString());
  });

  test("uses CYBRID_ACCESS_TOKEN, and then requests no bank token", async () => {
    const env = { ...bank, CYBRID_ACCESS_TOKEN: await emulator.signToken() };
    const asked = emulator.counts["/oauth/token"];
    const { status, stderr } = await run(create("--scope", first), env);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(emulator.counts["/oauth/token"]).toBe(asked);
  });

  interface Case {
    customer?: string;
    env?: Record<string, string>;
    args?: string[];
    fault?: Omit<Fault, "path">;
    prints: string;
  }

  test.each(readCases<Case>("create"))(
    "in one sentence: %s",
    async (_, { customer = guid, env, args = [], ...more }) => {
      if (more.fault) emulator.play({ path: "/oauth/token", ...more.fault });
      const line = ["create", "--base-url", emulator.url, "--customer", customer, "--scope", first, ...args];
      const outcome = await run(fill(line, { $scope: first }), { ...bank, ...env });
      expect(outcome).toEqual({ status: 1, stdout: "", stderr: fill(more.prints, { $scope: first }) });
      expect(JSON.stringify(outcome)).not.toContain("canary");
    },
  );

  test("no server: one sentence that says why", async () => {
    const host = `127.0.0.1:${await freePort()}`;
    expect(await run(["create", "--base-url", `http://${host}`, "--customer", guid, "--scope", first], bank)).toEqual({
      status: 1,
      stdout: "",
      stderr: `error: no answer from ${host} (ECONNREFUSED): connect ECONNREFUSED ${host}\n`,
    });
  });
});
