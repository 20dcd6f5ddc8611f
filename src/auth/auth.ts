import type { Clock } from "../http/clock.js";
import type { Send } from "../http/send.js";
import type { TokenProvider } from "../http/call.js";

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
}

/**
 * Where a client tells what a cache of its customer tokens needs to know. A registered symbol is the same in every copy of
 * the package.
 */
export const clientContext: unique symbol = Symbol.for("cybrid-customer-tokens.client");
