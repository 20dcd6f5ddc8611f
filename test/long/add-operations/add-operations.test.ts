import { readFile, rm, symlink, writeFile } from "node:fs/promises";
import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { extendedDescription } from "../../support/described.js";
import { copyRepository, temporaryFolder } from "../../support/repository.js";

// Walks the steps of "Adding an operation" in CONTRIBUTING.md in a copy of this repository, to a green `npm test`.

interface Walk {
  operations: string[];
  /** A whole description. Default: the committed one with the operations of test/fixtures/operations.yaml. */
  description?: string | undefined;
  /** The operation that gets a method of its own. */
  method: { name: string; path: string; request: string; response: string; scope: string; body: object };
}

/** The fixture's operations, and the provider's own if DESCRIPTION names its whole description. */
const walks: Walk[] = [
  {
    operations: ["listNotes", "createNote", "getNote", "deleteNote"],
    method: {
      name: "createNote",
      path: "/api/notes",
      request: "NoteIdpModel",
      response: "NoteIdpModel",
      scope: "customers:write",
      body: { text: "a", author: { email: "a@example.com" }, attachment: { kind: "link", url: "b" }, parts: [] },
    },
  },
  {
    operations: ["listUser", "createUser", "getUser"],
    description: process.env["DESCRIPTION"],
    method: {
      name: "createUser",
      path: "/api/users",
      request: "PostUserIdpModel",
      response: "UserIdpModel",
      scope: "users:execute",
      body: { email: "a@example.com" },
    },
  },
];

test.each(process.env["DESCRIPTION"] === undefined ? walks.slice(0, 1) : walks)(
  "adding $operations keeps `npm test` green",
  { timeout: 3600_000 },
  async ({ operations, description, method }) => {
    const folder = await temporaryFolder();
    const copy = join(folder, "repository");
    // As in `npm test`, which has the short runs.
    const env = { ...process.env, LONG: "" };
    const run = (...[program = "", ...args]: string[]) => {
      const { status } = spawnSync(program, args, { cwd: copy, stdio: "inherit", env });
      expect(`${[program, ...args].join(" ")} ends with ${status}`).toMatch(/ ends with 0$/);
    };
    /** Puts text before the first place that holds another. */
    const insert = async (path: string, before: string, text: string) => {
      const old = await readFile(join(copy, path), "utf8");
      expect(old).toContain(before);
      await writeFile(
        join(copy, path),
        old.replace(before, () => `${text}${before}`),
      );
    };
    try {
      await copyRepository(copy);
      await symlink(resolve("node_modules"), join(copy, "node_modules"));
      const path = description === undefined ? join(folder, "description.json") : resolve(description);
      if (description === undefined) await writeFile(path, JSON.stringify(await extendedDescription()));
      await insert("openapi/source.json", '"createCustomerToken"', operations.map((id) => `"${id}", `).join(""));
      run("npm", "run", "pull", "--", path);
      run("npm", "run", "generate");

      const { name, request, response, scope, body } = method;
      const models = [...new Set([request, response])];
      await insert(
        "src/client.ts",
        "  /**\n   * The openapi-fetch client underneath",
        `  /** Adds one (\`POST ${method.path}\`). */
  ${name}: (request: ${request}, options?: CallOptions) => Promise<${response}>;\n\n`,
      );
      await insert(
        "src/client.ts",
        "    async createCustomerToken(",
        `    ${name}: (request, callOptions) =>
      callOperation(
        (client, init) => client.POST("${method.path}", { ...init, body: request }),
        { description: "a JSON object", matches: (answer): answer is ${response} => answer instanceof Object },
        callOptions,
      ),\n`,
      );
      const types = `import type { ${models.join(", ")} } from "../generated/models/index.js";\n`;
      await insert("src/client.ts", 'import type { paths } from "../generated/paths.js";\n', types);
      const exported = types.replace("import", "export");
      await insert("src/index.ts", 'export type { paths } from "../generated/paths.js";\n', exported);
      await insert(
        "src/emulator/operations.ts",
        "    async createAccessToken(",
        `    async ${name}(request) {
      await tokens.requireBank(request.authorization, "${scope}");
      return { status: 201, body: requireBody(request, "${name}") };
    },\n`,
      );
      await writeFile(
        join(copy, "test", "added.test.ts"),
        `import { expect, test } from "vitest";
import { startEmulator } from "../src/emulator/emulator.js";
import { ApiError, clientCredentials, createCustomerTokensClient, type ${response} } from "../src/index.js";

test("${name}", async () => {
  const emulator = await startEmulator();
  const clientOf = (...scopes: string[]) =>
    createCustomerTokensClient({ baseUrl: emulator.url, auth: clientCredentials({ ...emulator.client, scopes }) });
  const added: ${response} = await clientOf("${scope}").${name}(${JSON.stringify(body)});
  expect(added).toEqual(${JSON.stringify(body)});
  await expect(clientOf("prices:read").${name}(${JSON.stringify(body)})).rejects.toBeInstanceOf(ApiError);
  expect(emulator.counts["${method.path}"]).toBe(2);
  await emulator.close();
});
`,
      );
      run("npx", "prettier", "--write", "src", "test/added.test.ts");
      run("npm", "test");
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
);
