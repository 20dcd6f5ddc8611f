import { join } from "node:path";
import { type ParseArgsConfig, parseArgs } from "node:util";

/** The repository's folder. */
export const root = join(import.meta.dirname, "..");

/** A problem that the person at the terminal can mend: shown as one sentence, without a stack. */
export class UserError extends Error {
  override name = "UserError";
}

/**
 * Runs a script's main function. A {@link UserError} is printed as its sentence alone, anything else with its stack,
 * since that is a bug of ours; either way the exit status is 1.
 */
export async function command(main: () => Promise<void>): Promise<void> {
  for (const stream of [process.stdout, process.stderr])
    stream.on("error", (error: NodeJS.ErrnoException) => {
      // A reader that has seen enough, such as head, is no reason to leave work half done.
      if (error.code !== "EPIPE") throw error;
    });
  try {
    await main();
  } catch (error) {
    console.error(error instanceof UserError ? `error: ${error.message}` : error);
    process.exitCode = 1;
  }
}

/** The options and words of a command line. Throws {@link UserError} for what it does not know. */
export function parseOptions<T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    throw new UserError(`${error instanceof Error ? error.message : String(error)}; see --help`);
  }
}

/** Does a step of a command, and prints a line with its time. */
export async function step<T>(
  title: string,
  work: () => T | Promise<T>,
  print: (line: string) => void = console.log,
): Promise<T> {
  const startedAt = performance.now();
  const result = await work();
  print(`✔ ${title} [${((performance.now() - startedAt) / 1000).toFixed(1)} s]`);
  return result;
}
