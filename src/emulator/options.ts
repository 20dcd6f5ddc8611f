import { validateHeaderName, validateHeaderValue } from "node:http";
import { isIP } from "node:net";

/** The paths that the emulator counts and plays faults on. */
export type EmulatorPath = "/oauth/token" | "/api/customer_tokens" | "/.well-known/jwks.json";

/** A client of the emulated bank. */
export interface EmulatorClient {
  clientId: string;
  clientSecret: string;
  /** Scopes that it may ask for. Default: every scope. */
  scopes?: readonly string[];
}

/**
 * What goes wrong with a request. Without `status` and `reset` the request is answered as usual, after the delay and with
 * the headers.
 */
export interface Fault {
  path: EmulatorPath;
  /**
   * Which request of this path, counted from 1 at the start, as `counts` does. Faults for the same request are played one
   * after the other. Default: the next one that no other fault is for.
   */
  nth?: number;
  /** How many requests in a row; may be `Infinity`. Default: 1. */
  times?: number;
  /** Milliseconds before anything else happens; `Infinity` hangs until either side closes the connection. Default: 0. */
  delayMs?: number;
  /** Cuts the connection: before the request is processed, or after it was, so that only the answer is lost. */
  reset?: "before" | "after";
  /** Answers with this status instead, from 200 to 599; the request is not processed. */
  status?: number;
  /** Headers of the answer, in place of others of the same name. */
  headers?: Readonly<Record<string, string>>;
  /** Goes with `status`. A string is sent as it is, anything else as JSON. Default: nothing. */
  body?: unknown;
  /** Sends so many bytes of the body, and then cuts the connection. */
  truncateBytes?: number;
}

/** One request that was answered: nothing of its headers, query and body. */
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
  host?: string;
  /** TCP port. Default: 0, a free one. */
  port?: number;
  /** Default: one client, given back as `client`. */
  clients?: readonly EmulatorClient[];
  /** Guids of the customers that exist, or `"any"`. Default: one, given back as `customerGuid`. */
  customers?: readonly string[] | "any";
  /** Lifetime of a bank token in seconds. Default: 1800. */
  bankTokenLifetimeSeconds?: number;
  /** Lifetime of a customer token in seconds. Default: 1800. */
  customerTokenLifetimeSeconds?: number;
  /** Leaves `expires_in` out of the answer, as RFC 6749, section 5.1 allows. Default: false. */
  omitExpiresIn?: boolean;
  /** How tokens are signed. Default: RS256. */
  algorithm?: "RS256" | "RS512";
  /** Wall clock in milliseconds. Default: `Date.now`. */
  now?: () => number;
  /** Faults to play; `play` adds more. */
  faults?: readonly Fault[];
  /** Answers 429 beyond so many requests of a path in a window; the service documents 20 and 200 in 300 seconds. Default: no limit. */
  quotas?: { tokenRequests: number; mints: number; windowSeconds: number };
  /** Called with every answered request, before its answer is sent. What it throws is not caught. */
  onRequest?: (request: EmulatorRequest) => void;
}

/** For each field what it has to be, and that in words. */
type Rules<T> = Record<keyof T, readonly [isValid: (value: unknown) => boolean, expected: string]>;

const isText = (value: unknown) => typeof value === "string" && value !== "";
const isTextList = (value: unknown) => Array.isArray(value) && value.every(isText);
const isFunction = (value: unknown) => typeof value === "function";
const isObject = (value: unknown) => typeof value === "object" && value !== null && !Array.isArray(value);
const isFrom = (least: number) => (value: unknown) => typeof value === "number" && value >= least;
const isWhole = (least: number, most: number) => (value: unknown) =>
  Number.isInteger(value) && Number(value) >= least && Number(value) <= most;
const isLifetime = (value: unknown) => typeof value === "number" && value > 0 && Number.isFinite(value);

const optionRules: Rules<EmulatorOptions> = {
  host: [(value) => typeof value === "string" && isIP(value) !== 0, "an IP address"],
  port: [isWhole(0, 65_535), "a port number, or 0"],
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
  omitExpiresIn: [(value) => typeof value === "boolean", "true or false"],
  algorithm: [(value) => value === "RS256" || value === "RS512", "RS256 or RS512"],
  now: [isFunction, "a function that gives milliseconds"],
  faults: [Array.isArray, "a list of faults"],
  quotas: [areQuotas, "tokenRequests, mints and windowSeconds alone, each a whole number from 1"],
  onRequest: [isFunction, "a function"],
};

const faultRules: Rules<Fault> = {
  path: [
    (value) => ["/oauth/token", "/api/customer_tokens", "/.well-known/jwks.json"].includes(value as string),
    "the path of an operation (/oauth/token, /api/customer_tokens or /.well-known/jwks.json)",
  ],
  nth: [isWhole(1, Number.MAX_SAFE_INTEGER), "nth as a whole number from 1"],
  times: [
    (value) => value === Infinity || isWhole(1, Number.MAX_SAFE_INTEGER)(value),
    "times as a whole number from 1",
  ],
  delayMs: [isFrom(0), "delayMs from 0"],
  reset: [(value) => value === "before" || value === "after", 'reset as "before" or "after"'],
  status: [isWhole(200, 599), "a status from 200 to 599"],
  headers: [areHeaders, "headers with names and values that HTTP allows, and no Trailer"],
  body: [isSerializable, "a body of text or JSON"],
  truncateBytes: [isWhole(0, Number.MAX_SAFE_INTEGER), "truncateBytes as a whole number from 0"],
};

function areClients(value: unknown): boolean {
  if (!Array.isArray(value) || value.length === 0) return false;
  // A misspelt `scopes` would allow every scope.
  const isClient = ({ clientId, clientSecret, scopes = [], ...rest }: Partial<EmulatorClient>) =>
    isText(clientId) && isText(clientSecret) && isTextList(scopes) && Object.keys(rest).length === 0;
  if (!value.every((client: unknown) => isObject(client) && isClient(client as object))) return false;
  return new Set(value.map(({ clientId }: EmulatorClient) => clientId)).size === value.length;
}

function areQuotas(value: unknown): boolean {
  const { tokenRequests, mints, windowSeconds, ...rest } = Object(value) as Record<string, unknown>;
  const areWhole = [tokenRequests, mints, windowSeconds].every(isWhole(1, Number.MAX_SAFE_INTEGER));
  return areWhole && Object.keys(rest).length === 0;
}

function areHeaders(value: unknown): boolean {
  try {
    for (const [name, text] of Object.entries(value as Record<string, string>)) {
      validateHeaderName(name);
      validateHeaderValue(name, text);
      // Node throws on it as it writes an answer whose length is known.
      if (name.toLowerCase() === "trailer") return false;
    }
    return isObject(value);
  } catch {
    return false;
  }
}

function isSerializable(value: unknown): boolean {
  try {
    return JSON.stringify(value) !== undefined;
  } catch {
    return false;
  }
}

/** @throws {TypeError} naming the option that is wrong */
export function checkOptions(options: EmulatorOptions): void {
  check(options, optionRules, (field, expected) => `${field}: expected ${expected}`);
}

/**
 * Refuses faults that are not what they should be, and those that could never be played.
 *
 * @throws {TypeError} naming what is wrong, and in which of several faults
 */
export function checkFaults(faults: readonly Fault[], counts: Readonly<Record<EmulatorPath, number>>): void {
  for (const [index, fault] of faults.entries()) {
    const where = faults.length > 1 ? ` in fault ${index + 1}` : "";
    const refuse = (expected: string) => `faults: expected ${expected}${where}`;
    check(fault, faultRules, (_, expected) => refuse(expected));
    const { path, nth, times = 1, reset, status, body, truncateBytes } = fault;
    if (path === undefined) throw new TypeError(refuse(faultRules.path[1]));
    if (reset && (status ?? truncateBytes) !== undefined) {
      throw new TypeError(refuse("reset without status and truncateBytes"));
    }
    if (body !== undefined && status === undefined) throw new TypeError(refuse("a status with the body"));
    if (nth !== undefined && nth + times <= counts[path] + 1) {
      throw new TypeError(refuse(`nth to be a request yet to come; there were ${counts[path]}`));
    }
  }
}

function check<T extends object>(
  value: T,
  rules: Rules<T>,
  message: (field: string, expected: string) => string,
): void {
  const known = Object.keys(rules);
  const only = `only ${known.join(", ")}`;
  if (!isObject(value)) throw new TypeError(message("options", "an object"));
  for (const [field, given] of Object.entries(value)) {
    if (!Object.hasOwn(rules, field)) throw new TypeError(message("options", only));
    const [isValid, expected] = rules[field as keyof T];
    if (given !== undefined && !isValid(given)) throw new TypeError(message(field, expected));
  }
}
