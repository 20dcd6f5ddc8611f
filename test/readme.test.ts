import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Emulator, startEmulator } from "../src/emulator/emulator.js";
import { compileExamples, examplesIn } from "./support/examples.js";

const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");

/** What a block may lean on: the client of the first screen. */
const prelude = `
import { clientCredentials as credentials$, createCustomerTokensClient as create$ } from "cybrid-customer-tokens";
const { CYBRID_CLIENT_ID: clientId$ = "", CYBRID_CLIENT_SECRET: clientSecret$ = "" } = process.env;
const cybrid = create$({ auth: credentials$({ clientId: clientId$, clientSecret: clientSecret$ }) });
`;

const blocks = examplesIn(readme).map((code) => (code.includes("const cybrid =") ? code : `${prelude}${code}`));
const { paths, problems, remove } = await compileExamples("readme", blocks);
const files = paths.map((path, index) => ({ number: index + 1, path }));

let emulator: Emulator;

beforeAll(async () => {
  emulator = await startEmulator();
});

afterAll(async () => {
  await emulator.close();
  await remove();
});

test("every TypeScript block compiles under strict", () => {
  expect(problems).toEqual([]);
});

describe("every TypeScript block runs against the emulator", () => {
  test.each(files)("number $number", async ({ path }) => {
    const { clientId, clientSecret } = emulator.client;
    const hosts = /^https:\/\/id\.(?:sandbox|production)\.cybrid\.app/;
    const { fetch } = globalThis;
    vi.spyOn(globalThis, "fetch").mockImplementation((url, init) =>
      fetch(String(url).replace(hosts, emulator.url), init),
    );
    vi.spyOn(console, "log").mockImplementation(() => {});
    vi.stubEnv("CYBRID_CLIENT_ID", clientId);
    vi.stubEnv("CYBRID_CLIENT_SECRET", clientSecret);
    vi.stubEnv("CYBRID_CUSTOMER_GUID", emulator.customerGuid);
    await expect(import(path)).resolves.toBeDefined();
  });
});

test("npm start with a part of the sandbox's variables names the others, and sends nothing", async () => {
  const env = { PATH: process.env["PATH"], CYBRID_CLIENT_ID: "bank", CYBRID_CUSTOMER_GUID: "g" };
  const start = promisify(execFile)(process.execPath, ["--import", "tsx/esm", "scripts/start.ts"], { env });
  await expect(start).rejects.toMatchObject({
    code: 1,
    stdout: "",
    stderr: expect.stringMatching(/^error: .* set CYBRID_CLIENT_SECRET as well/),
  });
});
