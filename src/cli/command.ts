import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";

export const program = "cybrid-customer-tokens";

/** The parts of the process that a command uses. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  stdout(text: string): void;
  stderr(text: string): void;
  /** Resolves when the user stops the program. */
  stopped(): Promise<unknown>;
  /** Runs the program again with another environment, if this Node can use a proxy. Returns its exit status. */
  runBehindProxy(env: Io["env"]): number | undefined;
}

export interface Option {
  /** Name of the option's value in the help. N is a whole number, JSON an object, FILE a file's text. A flag has none. */
  value?: string;
  short?: string;
  multiple?: true;
  help: string;
}

/** Options by the name that they have in code: `customers` is `--customer` on the command line. */
export type Options = Readonly<Record<string, Option>>;

export interface Command {
  summary: string;
  /** The options that it needs, as the help shows them. */
  synopsis?: string;
  options: Options;
  /** The rest of the help. */
  notes?: string;
  example: string;
  /**
   * @param given The options that were given, with their values; a flag has `true`
   * @returns the exit status
   */
  run(given: object, io: Io): number | Promise<number>;
}

export const helpOption: Option = { short: "h", help: "show this page" };

/** A wrong command line or environment: exit status 2, and nothing was sent. */
export class UsageError extends Error {}

/** Reads a command's options. No message repeats a value: it may be a secret in the wrong place. */
export function parse(args: readonly string[], name: string, options: Options): Record<string, unknown> {
  const entries = Object.entries<Option>({ ...options, help: helpOption }).map(([field, option]) => {
    const type: "boolean" | "string" = option.value === undefined ? "boolean" : "string";
    return [flagOf(field), { ...option, field, type }] as const;
  });
  const known = new Map(entries);
  // Node's own messages name neither the command nor the option that was probably meant.
  const config = { options: Object.fromEntries(entries), strict: false, tokens: true } as const;
  const given: Record<string, unknown> = {};
  for (const token of parseArgs({ args: [...args], ...config }).tokens) {
    if (token.kind === "positional") throw new UsageError(`'${name}' takes no arguments, only options`);
    if (token.kind !== "option") continue;
    const { rawName, value: text = "", inlineValue } = token;
    const option = known.get(token.name);
    if (!option) {
      const secret = name === "create" && /secret|token|password|client-id/.test(token.name);
      if (secret) throw new UsageError("'create' takes no credentials as arguments: set them in the environment");
      throw new UsageError(`'${name}' has no option${quoted(rawName)}`);
    }
    const { field, type, value: kind = "", multiple } = option;
    if (type === "boolean") {
      if (token.value !== undefined) throw new UsageError(`${rawName} takes no value`);
      given[field] = true;
      continue;
    }
    if (text === "" || (!inlineValue && text.startsWith("-")))
      throw new UsageError(`${rawName} requires a value: ${kind}`);
    if (field in given && !multiple) throw new UsageError(`${rawName} may be given only once`);
    try {
      const value = kind in readers ? readers[kind]?.(text) : text;
      given[field] = multiple ? [...((given[field] as unknown[] | undefined) ?? []), value] : value;
    } catch {
      throw new UsageError(`${rawName}: expected ${kind === "FILE" ? "a file that can be read" : "a JSON object"}`);
    }
  }
  return given;
}

/** How values of these names are read. The client and the emulator check the results. */
const readers: Readonly<Record<string, (text: string) => unknown>> = {
  N: Number,
  JSON: (text) => JSON.parse(text) as unknown,
  FILE: (path) => readFileSync(path, "utf8"),
};

/** The word that was typed, for a message. Anything but a short word may be a secret, or control the terminal. */
export function quoted(typed: string): string {
  return /^[\w:-]{1,40}$/.test(typed) ? ` '${typed}'` : " of that name";
}

const names = { customer_guid: "customer", customers: "customer", scopes: "scope", clients: "client", faults: "fault" };
const variables = { token: "CYBRID_ACCESS_TOKEN", clientId: "CYBRID_CLIENT_ID", clientSecret: "CYBRID_CLIENT_SECRET" };

/** The name on the command line of an option of the client or the emulator. */
export function flagOf(field: string): string {
  return names[field as keyof typeof names] ?? field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** A message that begins with the name of an option, with the name that it has here. */
export function withOptionName(message: string): string {
  return message
    .replace(/^\w+(?=:)/, (field) => variables[field as keyof typeof variables] ?? `--${flagOf(field)}`)
    .replace("allowInsecureHttp", (field) => `--${flagOf(field)}`);
}
