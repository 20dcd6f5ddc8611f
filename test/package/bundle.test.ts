import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import * as esbuild from "esbuild";
import { build as rolldown } from "tsdown";
import { describe, expect, inject, test } from "vitest";

const folder = inject("project");

async function withEsbuild(entry: string): Promise<string> {
  const options = { bundle: true, minify: true, format: "esm", platform: "browser", write: false } as const;
  const { outputFiles } = await esbuild.build({ ...options, entryPoints: [entry] });
  return outputFiles.map(({ text }) => text).join("");
}

async function withRolldown(entry: string): Promise<string> {
  const outDir = join(folder, "rolldown");
  await rolldown({
    config: false,
    cwd: folder,
    entry: { bundle: entry },
    outDir,
    noExternal: /./,
    minify: true,
    platform: "browser",
    dts: false,
    logLevel: "error",
  });
  return readFile(join(outDir, "bundle.js"), "utf8");
}

describe.each([
  { bundler: "esbuild", bundle: withEsbuild },
  { bundler: "rolldown", bundle: withRolldown },
])("$bundler", ({ bundle }) => {
  /** Bundles an application for browsers and returns its code. */
  async function bundled(application: string): Promise<string> {
    const entry = join(folder, "application.js");
    await writeFile(entry, application);
    return bundle(entry);
  }

  test("a client with bearer leaves client credentials, scopes and codes out", async () => {
    const code = await bundled(`import { bearer, createCustomerTokensClient } from "cybrid-customer-tokens";
      globalThis.client = createCustomerTokensClient({ auth: bearer("token") });`);
    expect(code).toContain("/api/customer_tokens");
    for (const dead of ["client_credentials", "/oauth/token", "sardine_sessions:execute", "no_customer", "atob"]) {
      expect(code).not.toContain(dead);
    }
    expect(gzipSync(code).length).toBeLessThan(9_750);
  });

  test("everything", async () => {
    const code = await bundled(`export * from "cybrid-customer-tokens";`);
    expect(code).toContain("client_credentials");
    expect(gzipSync(code).length).toBeLessThan(13_150);
  });

  test("expiresAt alone brings nothing else", async () => {
    const code = await bundled(`import { expiresAt } from "cybrid-customer-tokens"; console.log(expiresAt("jwt"));`);
    expect(code.length).toBeLessThan(1_000);
  });

  test("an import that is not used leaves nothing", async () => {
    const code = await bundled(`import * as cybrid from "cybrid-customer-tokens";`);
    expect(code.trim()).toBe("");
  });
});
