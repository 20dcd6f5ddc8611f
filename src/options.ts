import { environments } from "../generated/environments.js";
import type { Auth } from "./auth/auth.js";
import { type Clock, systemClock } from "./http/deadline.js";
import type { Fetch, Settings } from "./http/retry.js";
import { createLog, type Logger } from "./logger.js";
import {
  anything,
  booleanRule,
  check,
  checkHeaders,
  checkOptions,
  functionRule,
  type HeadersOption,
  isFunction,
  isIntegerFrom,
  timeoutRule,
  withMethods,
} from "./validate.js";

/** The service's environments, from the description's servers. */
export type Environment = keyof typeof environments;

/** Options of `createCustomerTokensClient`. */
export interface CustomerTokensClientOptions {
  /** How to authenticate: `clientCredentials(…)` or `bearer(…)`. */
  auth: Auth;
  /**
   * Which of the service's environments to use.
   *
   * @default "sandbox"
   */
  environment?: Environment | undefined;
  /**
   * Base URL instead of an environment: `https:`, or `http:` on a loopback address. A path prefix is kept. Bank tokens are
   * requested from the same host.
   */
  baseUrl?: string | URL | undefined;
  /**
   * Allows a `baseUrl` with `http:` on a host that is not loopback, such as an emulator in a container. Tokens and secrets
   * then travel in the clear.
   *
   * @default false
   */
  allowInsecureHttp?: boolean | undefined;
  /**
   * Time that a call has, in milliseconds: for the token request, all attempts and waits, and the body. Below 2 ** 31.
   *
   * @default 10_000
   */
  timeoutMs?: number | undefined;
  /**
   * How often a request is sent again after a network error, 429, 502, 503 or 504, or with a new bank token after a 401 that
   * one can fix. With `0` it is sent again only after such a 401, once.
   *
   * @default 2
   */
  maxRetries?: number | undefined;
  /**
   * Headers of every request, of token requests too. One that is `undefined` or `null` is left out. `Authorization` and
   * `Content-Type` are the client's own.
   */
  headers?: HeadersOption | undefined;
  /**
   * Called for every attempt, of token requests too: for proxies, tracing and tests.
   *
   * @default `globalThis.fetch` as it is at the time of the call
   */
  fetch?: Fetch | undefined;
  /**
   * Gets a line for each event, such as a retry or a token request; `console` fits. No line contains a secret or a
   * token.
   *
   * @default none
   */
  logger?: Logger | undefined;
  /** Where time comes from, for tests. Default: the system's clocks. */
  clock?: Clock | undefined;
  /** Returns numbers from 0 up to, but not including, 1, for jitter. Default: `Math.random`. */
  random?: (() => number) | undefined;
}

export const expectedAuth = "clientCredentials(…) or bearer(…)";

/**
 * Checks a client's options and fills in the defaults.
 *
 * @throws {InvalidArgumentError} naming the option that is wrong
 */
export function resolveOptions(options: CustomerTokensClientOptions): Settings & { auth: Auth } {
  checkOptions(options, {
    auth: [expectedAuth, isFunction],
    environment: [Object.keys(environments).join(" or "), (name) => Object.hasOwn(environments, name)],
    // `localhost:4010` is a URL with the scheme `localhost:`.
    baseUrl: [
      "a URL with its scheme, https:// (or http:// on this machine)",
      (url) => /^https?:/.test(new URL(url).href),
    ],
    allowInsecureHttp: booleanRule,
    timeoutMs: timeoutRule,
    maxRetries: ["a whole number from 0", isIntegerFrom(0)],
    headers: anything,
    fetch: functionRule,
    logger: withMethods("debug", "warn"),
    clock: withMethods("now", "monotonic", "setTimeout"),
    random: functionRule,
  });
  const { auth, timeoutMs = 10_000, maxRetries = 2, fetch, clock = systemClock, random = Math.random } = options;
  check(auth, "auth", expectedAuth);
  const headers: Record<string, string> = { accept: "application/json", ...checkHeaders(options.headers) };
  // A caller's Authorization header would reach the token endpoint, too.
  delete headers["authorization"];
  const log = createLog(options.logger);
  return { auth, baseUrl: resolveBaseUrl(options), timeoutMs, maxRetries, headers, fetch, clock, random, log };
}

function resolveBaseUrl(options: CustomerTokensClientOptions): string {
  const { environment, baseUrl, allowInsecureHttp } = options;
  if (baseUrl === undefined) return environments[environment ?? "sandbox"];
  check(environment === undefined, "baseUrl", "either an environment or a base URL", "both");
  const url = new URL(baseUrl);
  // Even an empty query or fragment would swallow the paths appended to it.
  const isPlain = !url.username && !url.password && !/[?#]/.test(url.href);
  check(isPlain, "baseUrl", "a URL without credentials, query and fragment");
  const isSafe = url.protocol === "https:" || allowInsecureHttp || isLoopback(url.hostname);
  check(isSafe, "baseUrl", "https: on a host that is not loopback (or allowInsecureHttp)", "http:");
  return url.href.replace(/(?<!\/)\/+$/, "");
}

/** Loopback addresses, and the names that always mean them (RFC 6761, section 6.3). */
function isLoopback(hostname: string): boolean {
  return /^(?:127(?:\.\d+){3}|\[::1\]|(?:.+\.)?localhost)$/.test(hostname);
}
