import type { Clock, TokenProvider } from "../http/deadline.js";
import type { Send } from "../http/retry.js";
import type { Logger } from "../logger.js";
import { checkText, visibleAscii } from "../validate.js";

/** How a client authenticates: made by `bearer` or `clientCredentials`, and opaque otherwise. */
export type Auth = (connection: Connection) => TokenProvider;

/** What a client lends its authentication. */
export interface Connection {
  /** Base URL of the API, without a trailing slash. */
  baseUrl: string;
  /** Time that a token request has, in milliseconds. */
  timeoutMs: number;
  /** How often a call may try again. */
  maxRetries: number;
  /** Headers of every request. */
  headers: Record<string, string>;
  send: Send;
  clock: Clock;
  random: () => number;
  log: Logger;
}

/**
 * Authenticates with a bank token that the caller holds (RFC 6750).
 *
 * @param token The token, without `Bearer `; or a function that gives it, called once per attempt, whose own errors
 *   reach the caller as they are
 * @throws {InvalidArgumentError} where the token is empty or cannot stand in a header
 */
export function bearer(token: string | (() => string | Promise<string>)): Auth {
  if (typeof token === "function") {
    return () => ({ token: async () => bearerToken(await token()) });
  }
  const checked = bearerToken(token);
  return () => ({ token: () => checked });
}

function bearerToken(token: unknown): string {
  checkText(token, visibleAscii, "token", "a bank token of visible ASCII, without 'Bearer ' before it");
  return token;
}
