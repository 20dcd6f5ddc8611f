import { mkdir, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** The TypeScript blocks of a Markdown text. */
export function examplesIn(markdown: string): string[] {
  return [...markdown.matchAll(/^```ts\n(.*?)^```/gms)].map(([, code = ""]) => code);
}

/**
 * Writes examples to a folder of their own, from where the package can be imported by its name, and compiles them under
 * `strict`.
 *
 * @returns the paths of the files, what the compiler has to say, and a function that takes the folder away
 */
export async function compileExamples(name: string, examples: readonly string[]) {
  const folder = `${root}.cache/${name}`;
  const remove = () => rm(folder, { recursive: true, force: true });
  await remove();
  await mkdir(folder, { recursive: true });
  const paths = examples.map((_, index) => `${folder}/example-${index + 1}.ts`);
  for (const [index, path] of paths.entries()) await writeFile(path, `${examples[index]}\nexport {};\n`);
  const program = ts.createProgram(paths, {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: ["node"],
    paths: {
      "cybrid-customer-tokens": [`${root}src/index.ts`],
      "cybrid-customer-tokens/store": [`${root}src/auth/store.ts`],
      "cybrid-customer-tokens/cache": [`${root}src/cache.ts`],
      "cybrid-customer-tokens/emulator": [`${root}src/emulator/emulator.ts`],
    },
  });
  const problems = ts.getPreEmitDiagnostics(program).map(({ file, messageText }) => {
    return `${file?.fileName.split("/").at(-1) ?? ""}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
  });
  return { paths, problems, remove };
}
