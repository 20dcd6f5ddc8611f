import {
  ApiError,
  ConnectionError,
  CustomerTokensError,
  InvalidArgumentError,
  TokenRequestError,
} from "cybrid-customer-tokens";
import { type Command, didYouMean, type Io, parse, program, quoted, UsageError, withOptionName } from "./command.js";
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
  const [first = "", ...rest] = args;
  const wantsHelp = ["help", "--help", "-h"].includes(first);
  const name = wantsHelp ? (rest[0] ?? "") : first;
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  try {
    if (["--version", "-v", "-V"].includes(first)) io.stdout(version());
    else if (wantsHelp && name === "") io.stdout(generalHelp(commands));
    else if (!command) throw noCommand(name);
    else {
      const given = wantsHelp ? undefined : parse(rest, name, command.options);
      if (!given || given.has("help")) io.stdout(commandHelp(name, command));
      else await command.run(given, io);
    }
    return 0;
  } catch (error) {
    if (error instanceof UsageError || error instanceof InvalidArgumentError) {
      const message = error instanceof UsageError ? error.message : withOptionName(error.message);
      io.stderr(`error: ${message}\nSee '${[program, command && name, "--help"].filter(Boolean).join(" ")}'.\n`);
      return 2;
    }
    if (!(error instanceof CustomerTokensError || error instanceof StartError)) throw error;
    // What a server says must neither control the terminal nor look like another line.
    io.stderr(`error: ${error.message.replace(/\p{C}+/gu, " ")}${detail(error)}\n`);
    return 1;
  }
}

function noCommand(name: string): UsageError {
  if (name === "") return new UsageError("no command given");
  if (name.startsWith("-")) return new UsageError("options come after the command");
  return new UsageError(`no command${quoted(name)}${didYouMean(name, Object.keys(commands))}`);
}

/** What the message leaves out, but helps the person at the terminal. */
function detail(error: Error): string {
  if ((error instanceof ApiError || error instanceof TokenRequestError) && [429, 503].includes(error.status ?? 0)) {
    return error.retryAfterSeconds === undefined ? "" : `; try again in ${error.retryAfterSeconds} seconds`;
  }
  return error.cause instanceof ConnectionError ? `: ${error.cause.message}` : "";
}
