import type { TokenProvider } from "../http/deadline.js";
import type { Send, Settings } from "../http/retry.js";
import { checkText, visibleAscii } from "../validate.js";

/** How a client authenticates: made by `bearer` or `clientCredentials`, and opaque otherwise. */
export type Auth = (connection: Connection) => TokenProvider;

/** The parts of a client that its authentication uses. */
export type Connection = Settings & { send: Send };

/**
 * Authenticates with a bank token that the caller holds (RFC 6750).
 *
 * @param token The token, without `Bearer `; or a function that gives it, called once per attempt, whose own errors
 *   reach the caller as they are
 * @throws {InvalidArgumentError} if the token is empty or no header can hold it
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
