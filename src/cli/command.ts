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
  const known = new Map(Object.entries<Option>({ ...options, help: helpOption }));
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      [...known].map(([option, { value, short }]) => [
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
    const { rawName, value, inlineValue } = token;
    const option = known.get(token.name);
    if (!option) {
      const secret = name === "create" && /secret|token|password|client-id/.test(token.name);
      if (secret) throw new UsageError("'create' takes no credentials from arguments: set them in the environment");
      const flags = [...known.keys()].map((each) => `--${each}`);
      throw new UsageError(`'${name}' has no option${withHint(rawName, flags)}`);
    }
    const values = given.get(token.name) ?? [];
    if (option.value === undefined) {
      if (value !== undefined) throw new UsageError(`${rawName} takes no value`);
    } else if (!value || (!inlineValue && value.startsWith("-"))) {
      throw new UsageError(`${rawName} ${option.value}: the value is missing`);
    } else if (values.length > 0 && !option.multiple) {
      throw new UsageError(`${rawName} is given twice`);
    }
    given.set(token.name, [...values, value ?? ""]);
  }
  return given;
}

/** Names what was typed, and the candidate that was probably meant: at most two edits away, or a third of its length. */
export function withHint(typed: string, candidates: readonly string[]): string {
  // Anything but a short word may be a secret, or control the terminal.
  if (!/^[\w:-]{1,40}$/.test(typed)) return " of that name";
  const near = candidates.filter((candidate) => leven(typed, candidate) <= Math.max(2, candidate.length / 3));
  const hint = closestMatch(typed, near);
  return ` '${typed}'${hint === undefined ? "" : `; did you mean '${hint}'?`}`;
}

/** An option's value as a whole number. */
export function wholeNumber(given: Given, option: string): number | undefined {
  const [text] = given.get(option) ?? [];
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw new UsageError(`--${option}: expected a whole number`);
  return Number(text);
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
