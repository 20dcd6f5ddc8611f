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

/** @throws {TypeError} naming the option that is wrong */
export function checkOptions(options: EmulatorOptions): void {
  check(options, optionRules, (expected, field) => {
    throw new TypeError(`${field}: expected ${expected}`);
  });
}

/** For each field a check, which may throw on what has another type, and in words what passes it. */
export type Rules<T> = {
  [field in keyof T]-?: readonly [isValid: (value: Exclude<T[field], undefined>) => boolean, expected: string];
};

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
export const isWhole = (least: number, most: number) => (value: number) =>
  Number.isSafeInteger(value) && value >= least && value <= most;
export const isCount = isWhole(1, Infinity);
const isText = (value: unknown) => typeof value === "string" && value !== "";
const isFunction = (value: unknown) => typeof value === "function";
const isFlag = (value: unknown) => typeof value === "boolean";
const isLifetime = (seconds: number) => Number.isFinite(seconds) && seconds > 0;

const optionRules: Rules<EmulatorOptions> = {
  host: [(host) => isText(host) && isIP(host) !== 0, "an IP address"],
  port: [isWhole(0, 65_535), "a port number, or 0"],
  issuer: [
    // RFC 8414, section 2.
    (issuer) => isText(issuer) && /^https?:\/\/[^\s?#@]+$/.test(issuer) && URL.canParse(issuer),
    "an http: or https: URL without credentials, query and fragment",
  ],
  clients: [
    areClients,
    "at least one client, each with clientId, clientSecret and at most scopes, and each clientId once",
  ],
  customers: [
    (customers) => customers === "any" || customers.every((guid) => isText(guid) && guid.length === 32),
    '"any", or guids of 32 characters',
  ],
  bankTokenLifetimeSeconds: [isLifetime, "seconds above 0"],
  customerTokenLifetimeSeconds: [isLifetime, "seconds above 0"],
  omitExpiresIn: [isFlag, "true or false"],
  algorithm: [(algorithm) => ["RS256", "RS512"].includes(algorithm), "RS256 or RS512"],
  now: [isFunction, "a function that gives milliseconds"],
  faults: [Array.isArray, "a list of faults"],
  quotas: [
    ({ tokenRequests, customerTokens, windowSeconds, ...rest }) =>
      [tokenRequests, customerTokens, windowSeconds].every(isCount) && Object.keys(rest).length === 0,
    "tokenRequests, customerTokens and windowSeconds alone, each a whole number from 1",
  ],
  onRequest: [isFunction, "a function"],
  control: [isFlag, "true or false"],
};

function areClients(clients: readonly EmulatorClient[]): boolean {
  // A misspelt `scopes` would allow every scope.
  const isClient = ({ clientId, clientSecret, scopes = [], ...rest }: EmulatorClient) =>
    [clientId, clientSecret].every(isText) && scopes.every(isText) && Object.keys(rest).length === 0;
  const ids = new Set(clients.map(({ clientId }) => clientId));
  return clients.length > 0 && clients.every(isClient) && ids.size === clients.length;
}

/** Throws. */
type Refuse = (expected: string, field: string) => void;

/** Checks each field of an object that a caller gave. */
export function check<T extends object>(value: T, rules: Rules<T>, refuse: Refuse): void {
  if (!isObject(value)) refuse("an object", "options");
  for (const [field, given] of Object.entries(value)) {
    if (!Object.hasOwn(rules, field)) refuse(`only ${Object.keys(rules).join(", ")}`, "options");
    const [isValid, expected] = rules[field as keyof T];
    try {
      if (given === undefined || isValid(given)) continue;
    } catch {
      // It has another type.
    }
    refuse(expected, field);
  }
}
