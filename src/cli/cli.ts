#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { environments } from "../../generated/environments.js";
import type { Emulator, EmulatorOptions, Fault } from "cybrid-customer-tokens/emulator";
import {
  ApiError,
  bearer,
  clientCredentials,
  ConnectionError,
  createCustomerTokensClient,
  CustomerTokensError,
  type CustomerTokensClientOptions,
  expiresAt,
  InvalidArgumentError,
  PostCustomerTokenIdpModelScopesEnum,
  TokenRequestError,
} from "cybrid-customer-tokens";

const program = "cybrid-customer-tokens";
const scopes: readonly string[] = Object.values(PostCustomerTokenIdpModelScopesEnum);
type Scope = PostCustomerTokenIdpModelScopesEnum;

/** A wrong command line or environment: exit status 2, and nothing has been sent. */
class UsageError extends Error {}

/** A failure that is neither the client's nor the user's. */
class StartError extends Error {}

interface Option {
  /** Name of the option's value in help; without it, the option is a flag. */
  value?: string;
  short?: string;
  multiple?: true;
  help: string;
}

/** What was given: texts for options with a value, `true` for flags. */
type Given = ReadonlyMap<string, readonly string[]>;

interface Command {
  summary: string;
  synopsis: string;
  description: string;
  options: Readonly<Record<string, Option>>;
  environment?: string;
  exitStatus: string;
  examples: string;
  run(given: Given): Promise<void>;
}

const helpOption: Option = { short: "h", help: "Shows this page." };

const commands: Readonly<Record<string, Command>> = {
  create: {
    summary: "creates an access token for a customer",
    synopsis: `--customer GUID --scope SCOPE [--scope SCOPE]...
    [--environment NAME | --base-url URL [--allow-insecure-http]]
    [--timeout-ms N] [--json]`,
    description: `Creates one access token for one customer of the bank and prints it, and
nothing else, to standard output. Everything else goes to standard error.

Credentials come from the environment and never from arguments, which every
user of the machine can read.`,
    options: {
      customer: { value: "GUID", help: "The customer the token is for: 32 characters." },
      scope: {
        value: "SCOPE",
        multiple: true,
        help: `What the token may be used for; once for each scope. Ask for the fewest that
will do. '${program} scopes' lists them.`,
      },
      environment: {
        value: "NAME",
        help: `Which of the service's environments to use: ${Object.keys(environments).join(" or ")}.
Default: sandbox.`,
      },
      "base-url": {
        value: "URL",
        help: `Base URL instead of an environment, such as an emulator's: https:, or http: on
this machine. The bank token is asked for on the same host.`,
      },
      "allow-insecure-http": {
        help: `Allows a base URL with http: on another machine. The credentials then travel
in the clear.`,
      },
      "timeout-ms": {
        value: "N",
        help: `Milliseconds for all of it, retries included. Default: 10000.`,
      },
      json: {
        help: `Prints JSON instead: the service's answer, with the token's expiry added as
"expires_at" (ISO 8601, or null where the token states none).`,
      },
    },
    environment: `CYBRID_CLIENT_ID, CYBRID_CLIENT_SECRET
    The bank's client credentials. A bank token is asked for first, which counts
    against its own quota: 20 requests in five minutes.

CYBRID_ACCESS_TOKEN
    A bank token that you already have, without 'Bearer ' before it. It is used
    instead of client credentials where both are set.

NODE_EXTRA_CA_CERTS
    A file of further certificate authorities (PEM).`,
    exitStatus: `0   The token has been created.
1   The service or the network refused. The reason is on standard error, in one
    line, with the HTTP status and the message code where there is one.
2   The command line or the environment is wrong. Nothing has been sent.`,
    examples: `$ ${program} create --customer "$GUID" --scope customers:read

$ TOKEN=$(${program} create --customer "$GUID" \\
    --scope customers:read --scope accounts:read --environment production)

$ ${program} create --customer "$GUID" --scope prices:read --json`,
    run: create,
  },

  scopes: {
    summary: "lists the scopes that a customer token can have",
    synopsis: "",
    description: `Lists the scopes that this version knows, one a line, with a blank line between
the resources. The service may know more; 'create' sends them as they are.`,
    options: {},
    exitStatus: `0   Always.`,
    examples: `$ ${program} scopes | grep :read`,
    run: listScopes,
  },

  emulator: {
    summary: "serves an emulated identity provider for tests",
    synopsis: `[--host ADDRESS] [--port N] [--customer GUID]...
    [--client-id ID] [--client-secret SECRET] [--bank-token-lifetime SECONDS]
    [--customer-token-lifetime SECONDS] [--quotas] [--fault JSON]...`,
    description: `Serves the token endpoint, the customer-tokens endpoint and the signing keys on
127.0.0.1, for tests in any language and for curl. Tokens are real JWTs, signed
with a key made at the start; requests are checked as the service checks them.

Prints its address, its credentials and a curl line that mints a token to
standard output, then each request to standard error, without tokens and secrets.
SIGINT (Ctrl-C) and SIGTERM stop it.`,
    options: {
      host: {
        value: "ADDRESS",
        help: `IP address to listen on; 0.0.0.0 for a container whose port is published.
Default: 127.0.0.1.`,
      },
      port: { value: "N", help: "TCP port; 0 for any that is free. Default: 4010." },
      customer: {
        value: "GUID",
        multiple: true,
        help: `A customer that exists, by 32 characters; once for each. With 'any', every guid
exists. Default: one, which is printed.`,
      },
      "client-id": { value: "ID", help: "Client id of the bank. Default: emulator-client." },
      "client-secret": {
        value: "SECRET",
        help: "Its secret: an invented one, since it is printed. Default: emulator-secret.",
      },
      "bank-token-lifetime": { value: "SECONDS", help: "Lifetime of bank tokens. Default: 1800." },
      "customer-token-lifetime": { value: "SECONDS", help: "Lifetime of customer tokens. Default: 1800." },
      quotas: {
        help: `Answers 429 as the service documents it: beyond 20 token requests or 200
customer tokens in five minutes.`,
      },
      fault: {
        value: "JSON",
        multiple: true,
        help: `Something that goes wrong, once: an object with "path", and any of "nth", "times",
"delayMs", "reset" ("before" or "after"), "status", "headers", "body",
"truncateBytes".`,
      },
    },
    exitStatus: `0   Stopped by a signal.
1   It could not start, such as on a port that is in use.
2   The command line is wrong.`,
    examples: `$ ${program} emulator --port 4010

$ ${program} emulator --customer any --bank-token-lifetime 60

$ ${program} emulator --fault '{
    "path": "/oauth/token", "status": 429, "headers": { "retry-after": "2" } }'`,
    run: emulate,
  },
};

const generalHelp = () => `NAME
    ${program} - mints access tokens for a bank's customers on Cybrid

SYNOPSIS
    ${program} COMMAND [OPTION]...
    ${program} help [COMMAND]
    ${program} --version

COMMANDS
${Object.entries(commands)
  .map(([name, { summary }]) => `    ${name.padEnd(10)}${summary}`)
  .join("\n")}

'${program} help COMMAND' or '${program} COMMAND --help'
shows the options, environment, exit status and examples of a command.

This is an independent program: it is not made or endorsed by Cybrid.
`;

function commandHelp(name: string, command: Command): string {
  const options = Object.entries({ ...command.options, help: helpOption }).map(
    ([option, { value, short, help }]) =>
      `${short === undefined ? "" : `-${short}, `}--${option}${value === undefined ? "" : ` ${value}`}\n${indent(help)}`,
  );
  const sections = {
    NAME: `${program} ${name} - ${command.summary}`,
    SYNOPSIS: `${program} ${name} ${command.synopsis}`.trimEnd(),
    DESCRIPTION: command.description,
    OPTIONS: options.join("\n\n"),
    ...(command.environment !== undefined && { ENVIRONMENT: command.environment }),
    "EXIT STATUS": command.exitStatus,
    EXAMPLES: command.examples,
  };
  return Object.entries(sections)
    .map(([title, text]) => `${title}\n${indent(text)}\n`)
    .join("\n");
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, "    ");
}

async function create(given: Given): Promise<void> {
  const customer = given.get("customer")?.[0];
  const asked = given.get("scope") ?? [];
  if (customer === undefined) throw new UsageError("--customer GUID is missing");
  if (asked.length === 0) throw new UsageError("--scope SCOPE is missing");
  const client = createCustomerTokensClient(clientOptions(given));
  for (const scope of asked) {
    if (scopes.includes(scope)) continue;
    // The service may know a scope that this version does not: it decides.
    const hint = nearest(scope, scopes);
    const suggestion = hint === undefined ? "" : ` (did you mean '${hint}'?)`;
    process.stderr.write(`warning: this version knows no scope${quoted(scope)}${suggestion}\n`);
  }
  const answer = await client.createCustomerToken({ customer_guid: customer, scopes: asked as Scope[] });
  if (!given.has("json")) return print(`${answer.access_token}\n`);
  const expires_at = expiresAt(answer.access_token)?.toISOString() ?? null;
  print(`${JSON.stringify({ ...answer, expires_at }, undefined, 2)}\n`);
}

function clientOptions(given: Given): CustomerTokensClientOptions {
  const environment = given.get("environment")?.[0];
  const baseUrl = given.get("base-url")?.[0];
  if (baseUrl === undefined && given.has("allow-insecure-http")) {
    throw new UsageError("--allow-insecure-http goes with --base-url only");
  }
  const timeoutMs = given.get("timeout-ms")?.[0];
  return {
    auth: authFromEnvironment(),
    // The client refuses what it does not know.
    ...(environment !== undefined && { environment: environment as keyof typeof environments }),
    ...(baseUrl !== undefined && { baseUrl }),
    ...(timeoutMs !== undefined && { timeoutMs: wholeNumber("--timeout-ms", timeoutMs) }),
    allowInsecureHttp: given.has("allow-insecure-http"),
  };
}

function authFromEnvironment() {
  const {
    CYBRID_ACCESS_TOKEN: token,
    CYBRID_CLIENT_ID: clientId = "",
    CYBRID_CLIENT_SECRET: clientSecret = "",
  } = process.env;
  if (token) return bearer(token);
  if (clientId || clientSecret) return clientCredentials({ clientId, clientSecret });
  throw new UsageError("no credentials: set CYBRID_CLIENT_ID and CYBRID_CLIENT_SECRET, or CYBRID_ACCESS_TOKEN");
}

async function listScopes(): Promise<void> {
  const groups = new Map<string, string[]>();
  for (const scope of scopes) {
    const resource = scope.slice(0, scope.indexOf(":"));
    groups.set(resource, [...(groups.get(resource) ?? []), scope]);
  }
  const texts = [...groups.values()].map((group) => group.map((scope) => `${scope}\n`).join(""));
  print(texts.join("\n"));
}

async function emulate(given: Given): Promise<void> {
  // Signing and validation are a hundred times the size of the client: only this command waits for them.
  const { startEmulator } = await import("cybrid-customer-tokens/emulator");
  const customers = given.get("customer");
  const clientId = given.get("client-id")?.[0] ?? "emulator-client";
  const clientSecret = given.get("client-secret")?.[0] ?? "emulator-secret";
  const host = given.get("host")?.[0];
  const options: EmulatorOptions = {
    ...(host !== undefined && { host }),
    port: wholeNumber("--port", given.get("port")?.[0] ?? "4010"),
    clients: [{ clientId, clientSecret }],
    ...(customers && { customers: customers.includes("any") ? "any" : customers }),
    ...seconds(given, "bank-token-lifetime", "bankTokenLifetimeSeconds"),
    ...seconds(given, "customer-token-lifetime", "customerTokenLifetimeSeconds"),
    ...(given.has("quotas") && { quotas: { tokenRequests: 20, mints: 200, windowSeconds: 300 } }),
    faults: (given.get("fault") ?? []).map(parseFault),
    onRequest({ method, path, status, code }) {
      // A path that is not the emulator's own could hold anything.
      const words = [method, status === 404 ? "(unknown path)" : path, status === 0 ? "reset" : status, code];
      process.stderr.write(`${words.filter((word) => word !== undefined).join(" ")}\n`);
    },
  };
  const emulator = await startEmulator(options).catch((error: unknown) => {
    if (error instanceof TypeError) throw new UsageError(placed(error.message));
    const code = (error as NodeJS.ErrnoException).code ?? "unknown";
    throw new StartError(
      code === "EADDRINUSE"
        ? `port ${options.port} is in use: choose another with --port`
        : `port ${options.port} cannot be opened (${code})`,
    );
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void emulator.close());
  print(`Emulator of the Cybrid Identity API, for tests only: ${emulator.url}

  client id        ${clientId}
  client secret    ${clientSecret}
  customer guid    ${emulator.customerGuid}${customers?.includes("any") ? " (any other, too)" : ""}

Mint a customer token:

  ${curl(emulator)}

Ctrl-C stops it.
`);
}

/** A shell command that asks for a bank token and mints a customer token with it. */
function curl({ url, client, customerGuid }: Emulator): string {
  const post = (path: string, header: string, body: object) =>
    `curl -sS ${url}${path}${header} -H 'Content-Type: application/json' -d ${shellQuoted(JSON.stringify(body))}`;
  const token = post("/oauth/token", "", {
    grant_type: "client_credentials",
    client_id: client.clientId,
    client_secret: client.clientSecret,
  });
  const found = String.raw`sed 's/.*"access_token":"\([^"]*\)".*/\1/'`;
  const header = ` -H "Authorization: Bearer $(${token} | ${found})"`;
  return post("/api/customer_tokens", header, { customer_guid: customerGuid, scopes: ["customers:read"] });
}

function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

function seconds<Name extends string>(given: Given, option: string, name: Name): { [name in Name]?: number } {
  const text = given.get(option)?.[0];
  return (text === undefined ? {} : { [name]: wholeNumber(`--${option}`, text) }) as { [name in Name]?: number };
}

function parseFault(text: string): Fault {
  try {
    const fault: unknown = JSON.parse(text);
    if (typeof fault === "object" && fault !== null) return fault as Fault;
  } catch {
    // Told below.
  }
  throw new UsageError("--fault: expected a JSON object");
}

function wholeNumber(option: string, text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new UsageError(`${option}: expected a whole number`);
}

/** Reads a command's options. No value is ever repeated in a message: it may be a secret in the wrong place. */
function parse(args: readonly string[], name: string, command: Command): Given {
  const known: Record<string, Option> = { ...command.options, help: helpOption };
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      Object.entries(known).map(([option, { value, short }]) => [
        option,
        { type: value === undefined ? "boolean" : "string", ...(short !== undefined && { short }) },
      ]),
    ),
    // The platform's own messages would name neither the command nor what was probably meant.
    strict: false,
    tokens: true,
  });
  const given = new Map<string, readonly string[]>();
  for (const token of tokens) {
    if (token.kind === "positional") throw new UsageError(`'${name}' takes options only`);
    if (token.kind !== "option") continue;
    const option = Object.hasOwn(known, token.name) ? known[token.name] : undefined;
    if (!option) throw unknownOption(token.rawName, token.name, name, Object.keys(known));
    if (option.value === undefined) {
      if (token.value !== undefined) throw new UsageError(`${token.rawName} takes no value`);
      given.set(token.name, []);
      continue;
    }
    if (!token.value || (!token.inlineValue && token.value.startsWith("-"))) {
      throw new UsageError(`${token.rawName} ${option.value}: the value is missing`);
    }
    const before = given.get(token.name) ?? [];
    if (before.length > 0 && !option.multiple) throw new UsageError(`${token.rawName} is given twice`);
    given.set(token.name, [...before, token.value]);
  }
  return given;
}

function unknownOption(rawName: string, option: string, command: string, known: readonly string[]): UsageError {
  if (command === "create" && /secret|token|password|client-id/.test(option)) {
    return new UsageError(`'${command}' takes no credentials from arguments: set them in the environment`);
  }
  const hint = nearest(option, known);
  return new UsageError(
    `'${command}' has no option${quoted(rawName)}${hint === undefined ? "" : `; did you mean '--${hint}'?`}`,
  );
}

/** What was probably meant: at most two edits away, or a third of its length. */
function nearest(text: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = Infinity;
  for (const candidate of candidates) {
    const distance = editDistance(text.slice(0, 100), candidate);
    if (distance < least && distance <= Math.max(2, candidate.length / 3)) {
      best = candidate;
      least = distance;
    }
  }
  return best;
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const substituted = (row[j] ?? 0) + (letter === b[j] ? 0 : 1);
      next.push(Math.min(substituted, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? Infinity;
}

/** Repeats what was typed only where it is a short word: anything else may be a secret, or steer the terminal. */
function quoted(text: string): string {
  return /^[\w:-]{1,40}$/.test(text) ? ` '${text}'` : " of that name";
}

function print(text: string): void {
  process.stdout.write(text);
}

/** Where the names that the client and the emulator use for their options stand on the command line. */
const places: Readonly<Record<string, string>> = {
  customer_guid: "--customer",
  scopes: "--scope",
  environment: "--environment",
  baseUrl: "--base-url",
  timeoutMs: "--timeout-ms",
  token: "CYBRID_ACCESS_TOKEN",
  clientId: "CYBRID_CLIENT_ID",
  clientSecret: "CYBRID_CLIENT_SECRET",
  host: "--host",
  port: "--port",
  customers: "--customer",
  faults: "--fault",
  bankTokenLifetimeSeconds: "--bank-token-lifetime",
  customerTokenLifetimeSeconds: "--customer-token-lifetime",
};

/** A message that begins with the name of an option, with that name as it is known here. */
function placed(message: string): string {
  return message
    .replace(/^\w+(?=:)/, (field) => places[field] ?? field)
    .replace("allowInsecureHttp", "--allow-insecure-http");
}

/** One sentence for every failure that is not a bug of ours. */
function report(error: unknown, command: string): void {
  if (error instanceof UsageError || error instanceof InvalidArgumentError) {
    const sentence = error instanceof InvalidArgumentError ? placed(error.message) : error.message;
    process.stderr.write(`error: ${sentence}\nSee '${program}${command} --help'.\n`);
    process.exitCode = 2;
  } else if (error instanceof CustomerTokensError || error instanceof StartError) {
    // What others have said must neither steer the terminal nor pass for another line.
    process.stderr.write(`error: ${error.message.replace(/\p{C}+/gu, " ")}${detail(error)}\n`);
    process.exitCode = 1;
  } else {
    throw error;
  }
}

/** What the sentence of an error leaves out, but the person at the terminal can use. */
function detail(error: Error): string {
  if ((error instanceof ApiError || error instanceof TokenRequestError) && [429, 503].includes(error.status ?? 0)) {
    return error.retryAfterSeconds === undefined ? "" : `; try again in ${error.retryAfterSeconds} seconds`;
  }
  return error.cause instanceof ConnectionError ? `: ${error.cause.message}` : "";
}

async function main(args: readonly string[]): Promise<void> {
  const [first = "", ...rest] = args;
  const wantsHelp = first === "help" || first === "--help" || first === "-h";
  const name = wantsHelp ? (rest[0] ?? "") : first;
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  try {
    if (first === "--version" || first === "-V") return print(`${program} ${version()}\n`);
    if (wantsHelp && name === "") return print(generalHelp());
    if (!command) throw noCommand(name);
    if (wantsHelp) return print(commandHelp(name, command));
    const given = parse(rest, name, command);
    if (given.has("help")) return print(commandHelp(name, command));
    await command.run(given);
  } catch (error) {
    report(error, command ? ` ${name}` : "");
  }
}

function noCommand(name: string): UsageError {
  if (name === "") return new UsageError("no command given");
  if (name.startsWith("-")) return new UsageError("options come after the command");
  const hint = nearest(name, Object.keys(commands));
  return new UsageError(`no command${quoted(name)}${hint === undefined ? "" : `; did you mean '${hint}'?`}`);
}

function version(): string {
  const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string };
  return manifest.version;
}

// A reader that has seen enough, such as head, is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

// Nor is one that does not want the emulator's log.
process.stderr.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

await main(process.argv.slice(2));
