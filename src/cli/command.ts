import { parseArgs } from "node:util";
import leven, { closestMatch } from "leven";

export const program = "cybrid-customer-tokens";

/** What a command needs of the process that it runs in. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  stdout(text: string): void;
  stderr(text: string): void;
  /** Resolves when the user stops the program. */
  stopped(): Promise<unknown>;
}

export interface Option {
  /** Name of the option's value in the help; without it, the option is a flag. */
  value?: string;
  short?: string;
  multiple?: true;
  help: string;
}

export interface Command {
  summary: string;
  /** The options that it needs, as the help shows them. */
  synopsis?: string;
  options: Readonly<Record<string, Option>>;
  /** What the help says besides. */
  notes?: string;
  example: string;
  run(given: Given, io: Io): void | Promise<void>;
}

/** The options that were given, with their values; a flag has none. */
export type Given = ReadonlyMap<string, readonly string[]>;

export const helpOption: Option = { short: "h", help: "show this page" };

/** A wrong command line or environment: exit status 2, and nothing was sent. */
export class UsageError extends Error {}

/** Reads a command's options. No message repeats a value: it may be a secret in the wrong place. */
export function parse(args: readonly string[], name: string, options: Command["options"]): Given {
  const known: Record<string, Option> = { ...options, help: helpOption };
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      Object.entries(known).map(([option, { value, short }]) => [
        option,
        { type: value === undefined ? "boolean" : "string", ...(short !== undefined && { short }) },
      ]),
    ),
    // Node's own messages name neither the command nor what was probably meant.
    strict: false,
    tokens: true,
  });
  const given = new Map<string, readonly string[]>();
  for (const token of tokens) {
    if (token.kind === "positional") throw new UsageError(`'${name}' takes options only`);
    if (token.kind !== "option") continue;
    const option = Object.hasOwn(known, token.name) ? known[token.name] : undefined;
    if (!option) throw unknownOption(token.rawName, token.name, name, Object.keys(known));
    const values = given.get(token.name) ?? [];
    if (option.value === undefined) {
      if (token.value !== undefined) throw new UsageError(`${token.rawName} takes no value`);
      given.set(token.name, values);
      continue;
    }
    if (!token.value || (!token.inlineValue && token.value.startsWith("-"))) {
      throw new UsageError(`${token.rawName} ${option.value}: the value is missing`);
    }
    if (values.length > 0 && !option.multiple) throw new UsageError(`${token.rawName} is given twice`);
    given.set(token.name, [...values, token.value]);
  }
  return given;
}

function unknownOption(rawName: string, option: string, command: string, known: readonly string[]): UsageError {
  if (command === "create" && /secret|token|password|client-id/.test(option)) {
    return new UsageError("'create' takes no credentials from arguments: set them in the environment");
  }
  return new UsageError(`'${command}' has no option${quoted(rawName)}${didYouMean(option, known, "--")}`);
}

/** Names the candidate that was probably meant: at most two edits away, or a third of its length. */
export function didYouMean(text: string, candidates: readonly string[], prefix = ""): string {
  const near = candidates.filter((candidate) => leven(text, candidate) <= Math.max(2, candidate.length / 3));
  const hint = closestMatch(text, near);
  return hint === undefined ? "" : `; did you mean '${prefix}${hint}'?`;
}

/** Repeats what was typed only if it is a short word: anything else may be a secret, or control the terminal. */
export function quoted(text: string): string {
  return /^[\w:-]{1,40}$/.test(text) ? ` '${text}'` : " of that name";
}

/** An option's value as a whole number. */
export function wholeNumber(given: Given, option: string): number | undefined {
  const [text] = given.get(option) ?? [];
  if (text === undefined || /^\d{1,15}$/.test(text)) return text === undefined ? undefined : Number(text);
  throw new UsageError(`--${option}: expected a whole number`);
}

/** Options of the client and the emulator that have another name here. */
const optionNames: Readonly<Record<string, string>> = {
  customer_guid: "--customer",
  customers: "--customer",
  scopes: "--scope",
  clients: "--client",
  faults: "--fault",
  token: "CYBRID_ACCESS_TOKEN",
  clientId: "CYBRID_CLIENT_ID",
  clientSecret: "CYBRID_CLIENT_SECRET",
};

/** A message that begins with the name of an option, with the name that it has here. */
export function withOptionName(message: string): string {
  const toFlag = (field: string) => `--${field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  return message
    .replace(/^\w+(?=:)/, (field) => optionNames[field] ?? toFlag(field))
    .replace("allowInsecureHttp", toFlag);
}
