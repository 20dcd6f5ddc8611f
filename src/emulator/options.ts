import { createPrivateKey } from "node:crypto";
import { isIP } from "node:net";
import type { EmulatorClient, EmulatorOptions, EmulatorQuotas } from "./types.js";

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
  host: [(host) => isText(host) && (host === "localhost" || isIP(host) !== 0), "an IP address or localhost"],
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
  signingKey: [isSigningKey, "an RSA private key of at least 2048 bits, as PEM"],
  now: [isFunction, "a function that gives milliseconds"],
  faults: [Array.isArray, "a list of faults"],
  quotas: [
    (quotas) => isObject(quotas) && areQuotas(quotas),
    "at most tokenRequests, customerTokens, windowSeconds, each from 1",
  ],
  onRequest: [isFunction, "a function"],
  control: [isFlag, "true or false"],
};

function isSigningKey(pem: string): boolean {
  const { asymmetricKeyType, asymmetricKeyDetails } = createPrivateKey(pem);
  return isText(pem) && asymmetricKeyType === "rsa" && (asymmetricKeyDetails?.modulusLength ?? 0) >= 2048;
}

function areQuotas({ tokenRequests = 1, customerTokens = 1, windowSeconds = 1, ...rest }: EmulatorQuotas): boolean {
  return [tokenRequests, customerTokens, windowSeconds].every(isCount) && Object.keys(rest).length === 0;
}

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
