import type { TokenProvider } from "../http/deadline.js";
import type { Send, Settings } from "../http/retry.js";
import { checkText, visibleAscii } from "../validate.js";

/** How a client authenticates. `bearer` or `clientCredentials` makes it; how it works is internal. */
export type Auth = (connection: Connection) => TokenProvider;

/** The parts of a client that its authentication uses. */
export type Connection = Settings & { send: Send };

/**
 * Authenticates with a bank token that you already have (RFC 6750).
 *
 * @param token The token, without `Bearer `; or a function that returns it, called once per attempt. Errors that it throws are
 *   passed through unchanged
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
