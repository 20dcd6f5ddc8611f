import { createPrivateKey } from "node:crypto";
import { isIP } from "node:net";
import {
  booleanRule,
  checkOptions,
  functionRule,
  isFunction,
  isIntegerFrom,
  isNonEmptyText,
  isObject,
  type Rule,
  type Rules,
} from "../validate.js";
import type { EmulatorClient, EmulatorOptions, EmulatorQuotas } from "./types.js";

/** @throws {TypeError} naming the option that is wrong */
export function checkEmulatorOptions(options: EmulatorOptions): void {
  try {
    checkOptions(options, rules);
  } catch (error) {
    throw new TypeError((error as Error).message);
  }
}

export const isCount = isIntegerFrom(1);
const isGuid = (value: unknown) => isNonEmptyText(value) && value.length === 32;
const lifetimeRule: Rule<number> = ["seconds above 0", (seconds) => Number.isFinite(seconds) && seconds > 0];

const rules: Rules<EmulatorOptions> = {
  host: ["an IP address or localhost", (host) => isNonEmptyText(host) && (host === "localhost" || isIP(host) !== 0)],
  port: ["a port number, or 0", (port) => isIntegerFrom(0)(port) && port < 2 ** 16],
  issuer: [
    "an http: or https: URL without credentials, query and fragment",
    // RFC 8414, section 2.
    (issuer) => isNonEmptyText(issuer) && /^https?:\/\/[^\s?#@]+$/.test(issuer) && URL.canParse(issuer),
  ],
  clients: ["at least one client, each with clientId, clientSecret, optionally scopes; no clientId twice", areClients],
  customers: ['"any", or guids of 32 characters', (customers) => customers === "any" || customers.every(isGuid)],
  bankTokenLifetimeSeconds: lifetimeRule,
  customerTokenLifetimeSeconds: lifetimeRule,
  omitExpiresIn: booleanRule,
  algorithm: ["RS256 or RS512", (algorithm) => ["RS256", "RS512"].includes(algorithm)],
  signingKey: ["an RSA private key of at least 2048 bits, as PEM", isSigningKey],
  now: ["a function that returns milliseconds", isFunction],
  faults: ["a list of faults", Array.isArray],
  quotas: ["an object with any of tokenRequests, customerTokens, windowSeconds, each a whole number from 1", areQuotas],
  onRequest: functionRule,
  control: booleanRule,
};

function isSigningKey(pem: string): boolean {
  const { asymmetricKeyType, asymmetricKeyDetails } = createPrivateKey(pem);
  return isNonEmptyText(pem) && asymmetricKeyType === "rsa" && (asymmetricKeyDetails?.modulusLength ?? 0) >= 2048;
}

function areQuotas(quotas: EmulatorQuotas): boolean {
  const { tokenRequests = 1, customerTokens = 1, windowSeconds = 1, ...rest } = quotas;
  const areCounts = [tokenRequests, customerTokens, windowSeconds].every(isCount);
  return isObject(quotas) && areCounts && Object.keys(rest).length === 0;
}

function areClients(clients: readonly EmulatorClient[]): boolean {
  // A misspelled `scopes` would allow every scope.
  const isClient = ({ clientId, clientSecret, scopes = [], ...rest }: EmulatorClient) =>
    [clientId, clientSecret].every(isNonEmptyText) && scopes.every(isNonEmptyText) && Object.keys(rest).length === 0;
  const ids = new Set(clients.map(({ clientId }) => clientId));
  return clients.length > 0 && clients.every(isClient) && ids.size === clients.length;
}
