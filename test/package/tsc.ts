import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execPath } from "node:process";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { cached, run } from "../../scripts/npm.js";

const installed = fileURLToPath(new URL("../../node_modules", import.meta.url));

/**
 * Compiles a project with a TypeScript of an exact version.
 *
 * @param config The content of a `tsconfig.json`
 * @returns the compiler's errors, empty if there are none
 */
export async function tsc(folder: string, version: string, config: TsConfig): Promise<string> {
  const modules = version === ts.version ? installed : await cached(`typescript@${version}`);
  // The compiler's own library need not be checked, and takes most of the time.
  const compilerOptions = { strict: true, target: "es2022", skipDefaultLibCheck: true, ...config.compilerOptions };
  const file = join(folder, `tsconfig.${crypto.randomUUID()}.json`);
  await writeFile(file, JSON.stringify({ ...config, compilerOptions }));
  return run(execPath, [join(modules, "typescript", "bin", "tsc"), "-p", file], { cwd: folder }).then(
    () => "",
    ({ stdout = "", message }: { stdout?: string; message: string }) => stdout.trim() || message,
  );
}

interface TsConfig {
  compilerOptions: object;
  files: readonly string[];
}
