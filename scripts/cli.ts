import { join, resolve } from "node:path";
import { type ParseArgsConfig, parseArgs } from "node:util";

/** The repository's folder. */
export const root = join(import.meta.dirname, "..");

/** A problem that the person at the terminal can fix: shown as one sentence, without a stack. */
export class UserError extends Error {
  override name = "UserError";
}

/**
 * Runs the main function of a script if Node was started with that script. A {@link UserError} is printed as one sentence,
 * anything else with its stack, since that is a bug of ours. Either way the exit status is 1.
 */
export async function runIfMain(script: string, main: (args: string[]) => Promise<void>): Promise<void> {
  const [, program = "", ...args] = process.argv;
  if (resolve(program) !== script) return;
  for (const stream of [process.stdout, process.stderr])
    stream.on("error", (error: NodeJS.ErrnoException) => {
      // A reader that closes the pipe early, such as head, must not end the work halfway.
      if (error.code !== "EPIPE") throw error;
    });
  try {
    await main(args);
  } catch (error) {
    console.error(error instanceof UserError ? `error: ${error.message}` : error);
    process.exitCode = 1;
  }
}

/** An option without a value, and one with a text. */
export const flag = { type: "boolean" } as const;
export const text = { type: "string" } as const;

const helpOption = { ...flag, short: "h" } as const;

/**
 * The options and positionals of a command line; undefined if it asks for help, which is then printed.
 *
 * @throws {UserError} for an unknown option, and for positionals unless `allowPositionals`
 */
export function parseOptions<T extends NonNullable<ParseArgsConfig["options"]>>(
  args: string[],
  options: T,
  help: string,
  { print = console.log, allowPositionals = false }: { print?: typeof console.log; allowPositionals?: boolean } = {},
) {
  try {
    const config = { args, options: { ...options, help: helpOption }, allowPositionals };
    const { values, positionals } = parseArgs(config);
    if (!("help" in values)) return { values, positionals };
    print(help);
    return undefined;
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
