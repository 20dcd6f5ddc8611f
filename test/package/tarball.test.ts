import { existsSync, readdirSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { execPath } from "node:process";
import { dirname, join, relative } from "node:path";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import ts from "typescript";
import type * as cybrid from "../../src/index.js";
import { expect, inject, test } from "vitest";
import { run } from "../../scripts/npm.js";
import { runProgram } from "./journey.js";
import { isPosix } from "../support/mode.js";
import { pack, temporaryFolder } from "../support/repository.js";

const tarball = inject("tarball");
const project = inject("project");
const installed = join(project, "node_modules", "cybrid-customer-tokens");

/** The files below a folder, with `/` between names. */
function filesIn(path: string): string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(path, join(entry.parentPath, entry.name)).replaceAll("\\", "/"))
    .sort();
}

test("has the files that users need, and no others", async () => {
  // The reference has a page for each model, which the description may bring.
  const files = filesIn(installed).filter((name) => !/^generated\/docs\/\w+\.md$/.test(name));
  await expect(`${files.join("\n")}\n`).toMatchFileSnapshot("tarball.txt");
});

test("every link of its pages leads to a page or a file that is there", async () => {
  const links: string[] = [];
  for (const page of filesIn(installed).filter((name) => name.endsWith(".md"))) {
    const text = await readFile(join(installed, page), "utf8");
    for (const [, link = ""] of text.matchAll(/\]\((?!https:|#)([^)#]+)/g)) links.push(join(dirname(page), link));
  }
  expect(links.length).toBeGreaterThan(30);
  expect(links.filter((link) => !existsSync(join(installed, link)))).toEqual([]);
});

test("is the same, byte for byte, when packed again", async () => {
  const again = await pack(await temporaryFolder());
  try {
    expect((await readFile(again)).equals(await readFile(tarball))).toBe(true);
  } finally {
    await rm(dirname(again), { recursive: true });
  }
});

test("brings openapi-fetch and its helper types, and nothing else", async () => {
  const lock = JSON.parse(await readFile(join(project, "package-lock.json"), "utf8")) as { packages: object };
  expect(Object.keys(lock.packages).filter(Boolean)).toEqual([
    "node_modules/cybrid-customer-tokens",
    "node_modules/openapi-fetch",
    "node_modules/openapi-typescript-helpers",
  ]);
});

test.each(["program.js", "program.cjs"])("creates a token, and maps errors, in this Node: %s", async (file) => {
  await runProgram([execPath], file);
});

/** An entry of the package as `import` loads it, and as `require` does. */
async function load(name: string): Promise<[imported: object, required: object]> {
  const require = createRequire(join(project, "program.cjs"));
  const imported = (await import(pathToFileURL(join(installed, "dist", `${name}.js`)).href)) as object;
  return [imported, require(name === "index" ? "cybrid-customer-tokens" : `cybrid-customer-tokens/${name}`) as object];
}

test.each(["index", "store", "cache", "emulator"])("is the same for import and for require: %s", async (name) => {
  const [imported, required] = await load(name);
  expect(Object.keys(imported).length).toBeGreaterThan(0);
  expect(Object.keys(imported).sort()).toEqual(Object.keys(required).sort());
});

test.runIf(isPosix)("its command is there", async () => {
  const { version } = JSON.parse(await readFile(join(installed, "package.json"), "utf8")) as { version: string };
  const { stdout } = await run(join(project, "node_modules", ".bin", "cybrid-customer-tokens"), ["--version"]);
  expect(stdout.trim()).toBe(`cybrid-customer-tokens ${version}`);
});

test("hides its inner modules", () => {
  const require = createRequire(join(project, "program.js"));
  expect(() => require.resolve("cybrid-customer-tokens/dist/index.js")).toThrow(/not defined by "exports"/);
});

test("publint reports no problem", async () => {
  const { messages } = await publint({ pkgDir: installed, pack: false, strict: true });
  expect(messages).toEqual([]);
});

test("are-the-types-wrong reports no problem", async () => {
  const result = await checkPackage(createPackageFromTarballData(await readFile(tarball)));
  expect(result.types ? result.problems : ["no types"]).toEqual([]);
});

test("each error of another copy of the package is recognized", async () => {
  const [one, two] = (await load("index")) as [typeof cybrid, typeof cybrid];
  expect(one.InvalidArgumentError).not.toBe(two.InvalidArgumentError);
  const details = { status: 422, headers: new Headers(), attempts: 1, retryAfterSeconds: undefined };
  const kinds = {
    ApiError: new one.ApiError({}, details),
    ConnectionError: new one.ConnectionError("no response", { attempts: 1 }),
    InvalidArgumentError: new one.InvalidArgumentError("auth", "one"),
    InvalidResponseError: new one.InvalidResponseError("expected JSON", details),
    TimeoutError: new one.TimeoutError(1, { attempts: 1 }),
    TokenRequestError: new one.TokenRequestError({}, { ...details, retryAfterSeconds: 60 }),
  };
  for (const [name, error] of Object.entries(kinds)) {
    expect(error).toBeInstanceOf(two.CustomerTokensError);
    const recognizedBy = Object.keys(kinds).filter((kind) => error instanceof two[kind as keyof typeof kinds]);
    expect(recognizedBy).toEqual([name]);
  }
});

test("every source map is there and holds its sources", async () => {
  for (const name of filesIn(join(installed, "dist")).filter((name) => /\.c?js$/.test(name))) {
    const script = await readFile(join(installed, "dist", name), "utf8");
    // The others' would be larger than all the rest, and nobody debugs that code here.
    const url = /^(?:index|shared|store)\./.test(name) ? `${name}.map` : undefined;
    expect(/\/\/# sourceMappingURL=(\S+)\s*$/.exec(script)?.[1], name).toBe(url);
    if (url === undefined) continue;
    const map = JSON.parse(await readFile(join(installed, "dist", url), "utf8")) as Record<string, unknown[]>;
    expect(map["sources"]?.length, name).toBeGreaterThan(0);
    expect(map["sourcesContent"]).toEqual(map["sources"]?.map(() => expect.any(String)));
  }
});

test("bundled code comes with its license", async () => {
  const licenses = await readFile(join(installed, "dist", "THIRD_PARTY_LICENSES.txt"), "utf8");
  for (const name of ["ajv", "jose"]) expect(licenses).toMatch(new RegExp(`^${name} [\\d.]+\n\n.*MIT License`, "m"));
  expect(licenses.match(/Copyright/g)).toHaveLength(2);
});

/** Runs a program in the project. Returns its output, and the end of it if it fails. */
const evaluate = (program: string, ...options: string[]): Promise<string> =>
  run(execPath, [...options, "--eval", program], { cwd: project }).then(
    ({ stdout }) => stdout,
    ({ stderr }: { stderr: string }) => stderr,
  );

test("the emulator loads and checks requests if code generation from strings is forbidden", async () => {
  const program = `
    const { startEmulator } = await import("cybrid-customer-tokens/emulator");
    const emulator = await startEmulator();
    const headers = { authorization: "Bearer " + (await emulator.signToken()), "content-type": "application/json" };
    for (const customer_guid of [emulator.customerGuid, "short"]) {
      const body = JSON.stringify({ customer_guid, scopes: ["customers:read"] });
      const response = await fetch(emulator.url + "/api/customer_tokens", { method: "POST", headers, body });
      console.log(response.status);
    }
    await emulator.close();`;
  const output = await evaluate(program, "--disallow-code-generation-from-strings", "--input-type=module");
  expect(output).toBe("201\n422\n");
});

test("a wrong option of the emulator shows one line of its source, and no more", async () => {
  const output = await evaluate(`require("cybrid-customer-tokens/emulator").startEmulator({ port: -1 })`);
  expect(output).toContain("TypeError: port: expected a port number, or 0");
  for (const line of output.split("\n")) expect(line.length, line).toBeLessThan(200);
});

test("the emulator's methods are declared as properties, so that linters let them be taken off it", async () => {
  const declarations = await readFile(join(installed, "dist", "emulator.d.ts"), "utf8");
  expect(declarations).toMatch(/^ {2}readonly reset: \(\) => void;$/m);
  expect(declarations).not.toMatch(/^ {2}\w+\(/m);
});

test.each([
  ["module", `import { createCustomerTokensClient } from "cybrid-customer-tokens";`],
  ["commonjs", `const { createCustomerTokensClient } = require("cybrid-customer-tokens");`],
])("a stack leads to the source: %s", async (type, load) => {
  const program = `${load} try { createCustomerTokensClient({}) } catch ({ stack }) { console.log(stack) }`;
  const stack = await evaluate(program, "--enable-source-maps", `--input-type=${type}`);
  expect(stack).toMatch(/src\/client\.ts:\d+:\d+/);
});

test("its declarations are complete, without any `any`", async () => {
  const declarations = filesIn(installed).filter((name) => /\.d\.c?ts$/.test(name));
  const program = ts.createProgram(
    declarations.map((name) => join(installed, name)),
    {
      module: ts.ModuleKind.NodeNext,
      lib: ["lib.es2022.d.ts", "lib.dom.d.ts"],
      types: [],
      strict: true,
      noEmit: true,
      skipDefaultLibCheck: true,
    },
  );
  const complaints = ts.getPreEmitDiagnostics(program).map(({ messageText }) => messageText);
  expect(complaints).toEqual([]);

  const checker = program.getTypeChecker();
  const imported: string[] = [];
  const anys: string[] = [];
  for (const name of declarations) {
    const file = program.getSourceFile(join(installed, name));
    expect(file?.text, name).not.toContain("sourceMappingURL");
    imported.push(...ts.preProcessFile(file?.text ?? "").importedFiles.map(({ fileName }) => fileName));
    const visit = (node: ts.Node): void => {
      // Also a type with another name that resolves to nothing in another project.
      if (ts.isTypeNode(node) && checker.getTypeFromTypeNode(node).flags & ts.TypeFlags.Any) {
        anys.push(`${name}: ${node.getText()}`);
      }
      ts.forEachChild(node, visit);
    };
    if (file) visit(file);
  }
  expect(anys).toEqual([]);
  expect(new Set(imported.filter((name) => !name.startsWith("./")))).toEqual(new Set(["openapi-fetch"]));
});
