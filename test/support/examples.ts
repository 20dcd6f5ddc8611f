import { mkdir, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const root = fileURLToPath(new URL("../../", import.meta.url)).replaceAll("\\", "/");

/** The TypeScript blocks of a Markdown text. */
export function examplesIn(markdown: string): string[] {
  return [...markdown.matchAll(/^```ts\n(.*?)^```/gms)].map(([, code = ""]) => code);
}

/**
 * Writes examples to a new folder, from where the package can be imported by its name, and compiles them under
 * `strict`.
 *
 * @param generated the folder whose `paths.ts` types the calls of `cybrid.api`. Default: the project's
 * @returns the paths of the files, the compiler's errors, and a function that removes the folder
 */
export async function compileExamples(name: string, examples: readonly string[], generated?: string) {
  const folder = `${root}.cache/${name}`;
  const remove = () => rm(folder, { recursive: true, force: true });
  await remove();
  await mkdir(folder, { recursive: true });
  const paths = examples.map((_, index) => `${folder}/example-${index + 1}.ts`);
  for (const [index, path] of paths.entries()) await writeFile(path, `${examples[index]}\nexport {};\n`);
  const entry = generated === undefined ? `${root}src/index.ts` : `${folder}/package.d.ts`;
  if (generated !== undefined) await writeFile(entry, packageOn(generated));
  const program = ts.createProgram(paths, {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: ["node"],
    paths: {
      "cybrid-customer-tokens": [entry],
      "cybrid-customer-tokens/store": [`${root}src/auth/shared-token-store.ts`],
      "cybrid-customer-tokens/cache": [`${root}src/customer-token-cache.ts`],
      "cybrid-customer-tokens/emulator": [`${root}src/emulator/emulator.ts`],
    },
  });
  const problems = ts.getPreEmitDiagnostics(program).map(({ file, messageText }) => {
    return `${file?.fileName.split("/").at(-1) ?? ""}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
  });
  return { paths, problems, remove };
}

/** The package as it would be if it were built from another description. */
function packageOn(generated: string): string {
  return `import type { Client } from "openapi-fetch";
import type { paths } from "${generated.replaceAll("\\", "/")}/paths.js";
import type * as client from "${root}src/index.js";
export { clientCredentials } from "${root}src/index.js";
type Create = typeof client.createCustomerTokensClient;
type Given = Omit<ReturnType<Create>, "api"> & { api: Client<paths> };
export declare function createCustomerTokensClient(...options: Parameters<Create>): Given;
`;
}
