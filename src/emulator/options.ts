import { isIP } from "node:net";

/** The paths that the emulator counts, and plays faults on. */
export const emulatorPaths = ["/oauth/token", "/api/customer_tokens", "/.well-known/jwks.json"] as const;

/** A path that the emulator counts, and plays faults on. */
export type EmulatorPath = (typeof emulatorPaths)[number];

/** A client of the emulated bank. */
export interface EmulatorClient {
  clientId: string;
  clientSecret: string;
  /** Scopes that it may ask for. Default: every scope. */
  scopes?: readonly string[] | undefined;
}

/**
 * What goes wrong with a request. Without `status` and `reset` it gets its usual answer, after the delay and with the
 * headers.
 */
export interface Fault {
  path: EmulatorPath;
  /**
   * Which request to this path, counted from 1 as in `counts`. Where two faults name the same request, the second one waits
   * for the next. Default: the next request that no other fault names.
   */
  nth?: number | undefined;
  /** For how many requests in a row; may be `Infinity`. Default: 1. */
  times?: number | undefined;
  /** Milliseconds to wait before anything else; with `Infinity` the request hangs until a side closes it. Default: 0. */
  delayMs?: number | undefined;
  /** Cuts the connection before the request is processed, or after it, so that only the answer is lost. */
  reset?: "before" | "after" | undefined;
  /** Answers with this status instead, from 200 to 599; the request is not processed. */
  status?: number | undefined;
  /** Headers of the answer, in place of others of the same name. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** Goes with `status`. A string is sent as it is, anything else as JSON. Default: nothing. */
  body?: unknown | undefined;
  /** Sends this many bytes of the body, then cuts the connection. */
  truncateBytes?: number | undefined;
}

/** A request that was answered, without its headers, query and body. */
export interface EmulatorRequest {
  method: string;
  path: string;
  /** When it came in, by the emulator's clock, in milliseconds. */
  timeMs: number;
  /** HTTP status; 0 where the connection was cut. */
  status: number;
  /** The `error` or `message_code` of the answer, where it has one. */
  code: string | undefined;
}

/** Options of `startEmulator`. */
export interface EmulatorOptions {
  /** IP address to listen on; `"0.0.0.0"` for a container whose port is published. Default: `"127.0.0.1"`. */
  host?: string | undefined;
  /** TCP port. Default: 0, a free one. */
  port?: number | undefined;
  /**
   * Issuer and audience of the tokens, and base of the URLs in the discovery documents: the address under which others
   * reach the emulator, such as a container's `http://identity:4010`. Default: its `url`.
   */
  issuer?: string | undefined;
  /** The bank's clients. Default: one, which the emulator shows as `client`. */
  clients?: readonly EmulatorClient[] | undefined;
  /** Guids of the customers that exist, or `"any"`. Default: one, which the emulator shows as `customerGuid`. */
  customers?: readonly string[] | "any" | undefined;
  /** Lifetime of a bank token in seconds. Default: 1800. */
  bankTokenLifetimeSeconds?: number | undefined;
  /** Lifetime of a customer token in seconds. Default: 1800. */
  customerTokenLifetimeSeconds?: number | undefined;
  /** Leaves `expires_in` out of the answer, as RFC 6749, section 5.1 allows. Default: false. */
  omitExpiresIn?: boolean | undefined;
  /** How tokens are signed. Default: RS256. */
  algorithm?: "RS256" | "RS512" | undefined;
  /** Clock: milliseconds since 1970. Default: `Date.now`. */
  now?: (() => number) | undefined;
  /** What goes wrong; `play` adds more. Default: nothing. */
  faults?: readonly Fault[] | undefined;
  /** Answers 429 to more requests than these in a window. The service documents 20 and 200 in 300 seconds. Default: no limit. */
  quotas?: { tokenRequests: number; customerTokens: number; windowSeconds: number } | undefined;
  /** Called for every request, just before its answer is sent. What it throws is not caught. */
  onRequest?: ((request: EmulatorRequest) => void) | undefined;
  /**
   * Lets other processes do what the methods of `Emulator` do: `POST /emulator/revoke-tokens`, `POST /emulator/rotate-key`,
   * `POST /emulator/faults` with a fault as JSON, and `GET /emulator/requests`. Default: false.
   */
  control?: boolean | undefined;
}

/** Scopes that the endpoint wants of a bank token. The security of the description names the first one only, its text both. */
export const requiredScopes = ["customers:write", "customers:read"];

const defaultClient: EmulatorClient = { clientId: "emulator-client", clientSecret: "emulator-secret" };
const defaultCustomer = "0123456789abcdef0123456789abcdef";

const defaults = {
  host: "127.0.0.1",
  port: 0,
  clients: [defaultClient],
  customers: [defaultCustomer],
  bankTokenLifetimeSeconds: 1800,
  customerTokenLifetimeSeconds: 1800,
  algorithm: "RS256",
  now: Date.now,
  faults: [],
} satisfies EmulatorOptions;

/** The options, with the defaults filled in. */
export type Settings = EmulatorOptions & {
  [option in keyof typeof defaults]: Exclude<EmulatorOptions[option], undefined>;
};

/** @throws {TypeError} naming the option that is wrong */
export function readOptions(options: EmulatorOptions): Settings {
  check(options, optionRules, (field, expected) => `${field}: expected ${expected}`);
  return { ...defaults, ...Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) };
}

/** The first client, and a customer that exists. */
export function firstOf({ clients, customers }: Settings) {
  const { clientId, clientSecret } = clients[0] ?? defaultClient;
  const [customerGuid = defaultCustomer] = customers === "any" ? [] : customers;
  return { client: { clientId, clientSecret }, customerGuid };
}

/** For each field a check, and in words what passes it. */
export type Rules<T> = Record<keyof T, readonly [isValid: (value: unknown) => boolean, expected: string]>;

export const isObject = (value: unknown) => typeof value === "object" && value !== null && !Array.isArray(value);
export const isWhole = (least: number, most: number) => (value: unknown) =>
  Number.isInteger(value) && Number(value) >= least && Number(value) <= most;
export const isCount = isWhole(1, Number.MAX_SAFE_INTEGER);
const isText = (value: unknown) => typeof value === "string" && value !== "";
const isTextList = (value: unknown) => Array.isArray(value) && value.every(isText);
const isFunction = (value: unknown) => typeof value === "function";
const isFlag = (value: unknown) => typeof value === "boolean";
const isLifetime = (value: unknown) => typeof value === "number" && value > 0 && Number.isFinite(value);

const optionRules: Rules<EmulatorOptions> = {
  host: [(value) => typeof value === "string" && isIP(value) !== 0, "an IP address"],
  port: [isWhole(0, 65_535), "a port number, or 0"],
  issuer: [isIssuer, "an http: or https: URL without credentials, query and fragment"],
  clients: [
    areClients,
    "at least one client, each with clientId, clientSecret and at most scopes, and each clientId once",
  ],
  customers: [
    (value) => value === "any" || (isTextList(value) && (value as string[]).every((guid) => guid.length === 32)),
    '"any", or guids of 32 characters',
  ],
  bankTokenLifetimeSeconds: [isLifetime, "seconds above 0"],
  customerTokenLifetimeSeconds: [isLifetime, "seconds above 0"],
  omitExpiresIn: [isFlag, "true or false"],
  algorithm: [(value) => value === "RS256" || value === "RS512", "RS256 or RS512"],
  now: [isFunction, "a function that gives milliseconds"],
  faults: [Array.isArray, "a list of faults"],
  quotas: [areQuotas, "tokenRequests, customerTokens and windowSeconds alone, each a whole number from 1"],
  onRequest: [isFunction, "a function"],
  control: [isFlag, "true or false"],
};

function isIssuer(value: unknown): boolean {
  // RFC 8414, section 2.
  return typeof value === "string" && /^https?:\/\/[^\s?#@]+$/.test(value) && URL.canParse(value);
}

function areClients(value: unknown): boolean {
  if (!Array.isArray(value) || value.length === 0) return false;
  // A misspelt `scopes` would allow every scope.
  const isClient = ({ clientId, clientSecret, scopes = [], ...rest }: Partial<EmulatorClient>) =>
    isText(clientId) && isText(clientSecret) && isTextList(scopes) && Object.keys(rest).length === 0;
  if (!value.every((client: unknown) => isObject(client) && isClient(client as object))) return false;
  return new Set(value.map(({ clientId }: EmulatorClient) => clientId)).size === value.length;
}

function areQuotas(value: unknown): boolean {
  const { tokenRequests, customerTokens, windowSeconds, ...rest } = Object(value) as Record<string, unknown>;
  return [tokenRequests, customerTokens, windowSeconds].every(isCount) && Object.keys(rest).length === 0;
}

/**
 * Checks each field of an object that a caller gave.
 *
 * @throws {TypeError} with the message for what is wrong
 */
export function check<T extends object>(
  value: T,
  rules: Rules<T>,
  message: (field: string, expected: string) => string,
): void {
  if (!isObject(value)) throw new TypeError(message("options", "an object"));
  for (const [field, given] of Object.entries(value)) {
    if (!Object.hasOwn(rules, field)) throw new TypeError(message("options", `only ${Object.keys(rules).join(", ")}`));
    const [isValid, expected] = rules[field as keyof T];
    if (given !== undefined && !isValid(given)) throw new TypeError(message(field, expected));
  }
}
