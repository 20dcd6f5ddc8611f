import {
  ApiError,
  ConnectionError,
  CustomerTokensError,
  InvalidArgumentError,
  TokenRequestError,
} from "cybrid-customer-tokens";
import { parse, program, UsageError, quoted, withOptionName, type Command, type Io } from "./command.js";
import { create } from "./create.js";
import { emulator, StartError } from "./emulator.js";
import { commandHelp, generalHelp, version } from "./help.js";
import { scopes } from "./scopes.js";

const commands: Readonly<Record<string, Command>> = { create, scopes, emulator };

/**
 * Runs the program.
 *
 * @returns its exit status
 */
export async function main(args: readonly string[], io: Io): Promise<number> {
  const wantsHelp = ["help", "--help", "-h"].includes(args[0] ?? "");
  const [name = "", ...rest] = wantsHelp ? args.slice(1) : args;
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  try {
    if (["--version", "-v", "-V"].includes(name)) io.stdout(version());
    else if (wantsHelp && name === "") io.stdout(generalHelp(commands));
    else if (name === "") throw new UsageError("no command given");
    else if (name.startsWith("-")) throw new UsageError("options come after the command");
    else if (!command) throw new UsageError(`no command${quoted(name)}`);
    else {
      const given = parse(wantsHelp ? ["--help"] : rest, name, command.options);
      if ("help" in given) io.stdout(commandHelp(name, command));
      else return await command.run(given, io);
    }
    return 0;
  } catch (error) {
    if (error instanceof UsageError || error instanceof InvalidArgumentError) {
      const page = [program, command && name, "--help"].filter(Boolean).join(" ");
      io.stderr(`error: ${withOptionName(error.message)}\nSee '${page}'.\n`);
      return 2;
    }
    if (!(error instanceof CustomerTokensError || error instanceof StartError)) throw error;
    // The words of a server must neither control the terminal nor look like another line.
    io.stderr(`error: ${error.message.replace(/\p{C}+/gu, " ")}${detail(error)}\n`);
    return 1;
  }
}

/** A detail that the message leaves out, but helps the person at the terminal. */
function detail(error: Error): string {
  if ((error instanceof ApiError || error instanceof TokenRequestError) && [429, 503].includes(error.status ?? 0)) {
    return error.retryAfterSeconds === undefined ? "" : `; try again in ${error.retryAfterSeconds} seconds`;
  }
  const failed = error instanceof ConnectionError ? error : error.cause;
  if (!(failed instanceof ConnectionError)) return "";
  const { message } = innermost(failed);
  return error.message.includes(message) ? "" : `: ${message.replace(/\p{C}+/gu, " ")}`;
}

/** The innermost cause says which address did not respond: it may be a proxy's. */
function innermost(error: Error): Error {
  const cause: unknown = error.cause ?? (error as AggregateError).errors?.[0];
  return cause instanceof Error ? innermost(cause) : error;
}
