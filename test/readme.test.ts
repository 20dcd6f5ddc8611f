import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Emulator, startEmulator } from "../src/emulator.js";

const root = new URL("../", import.meta.url);
const folder = new URL(".cache/readme/", root);
const readme = await readFile(new URL("README.md", root), "utf8");
const blocks = [...readme.matchAll(/^```ts\n(.*?)^```/gms)].map(([, code = ""]) => code);

/** What a block may lean on: the client of the first screen. */
const prelude = `
import { clientCredentials as credentials$, createCustomerTokensClient as create$ } from "cybrid-customer-tokens";
const { CYBRID_CLIENT_ID: clientId$ = "", CYBRID_CLIENT_SECRET: clientSecret$ = "" } = process.env;
const cybrid = create$({ auth: credentials$({ clientId: clientId$, clientSecret: clientSecret$ }) });
`;

const files = blocks.map((code, index) => ({
  title: `${index + 1}: ${code.split("\n").find((line) => line !== "" && !line.startsWith("import")) ?? ""}`,
  url: new URL(`block-${index + 1}.ts`, folder),
  code: code.includes("const cybrid =") ? code : `${prelude}${code}`,
}));

let emulator: Emulator;

beforeAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const { url, code } of files) await writeFile(url, `${code}\nexport {};\n`);
  emulator = await startEmulator();
});

afterAll(async () => {
  await emulator.close();
  await rm(folder, { recursive: true, force: true });
});

test("every TypeScript block compiles under strict", () => {
  const program = ts.createProgram(
    files.map(({ url }) => url.pathname),
    {
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      types: ["node"],
      paths: {
        "cybrid-customer-tokens": [new URL("src/index.ts", root).pathname],
        "cybrid-customer-tokens/*": [new URL("src/*.ts", root).pathname],
      },
    },
  );
  const problems = ts.getPreEmitDiagnostics(program).map(({ file, messageText }) => {
    return `${file?.fileName.split("/").at(-1) ?? ""}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
  });
  expect(problems).toEqual([]);
});

describe("every TypeScript block runs against the emulator", () => {
  test.each(files)("$title", async ({ url }) => {
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
    await expect(import(url.pathname)).resolves.toBeDefined();
  });
});
