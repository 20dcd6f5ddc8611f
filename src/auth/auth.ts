import type { Clock } from "../http/clock.js";
import type { Send } from "../http/retry.js";
import type { TokenProvider } from "../http/deadline.js";
import type { Logger } from "../logger.js";

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
