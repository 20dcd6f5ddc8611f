import type { paths } from "../../generated/paths.js";

/** A path that the emulator counts, and injects faults on: one of the description's, or the key set's. */
export type EmulatorPath = keyof paths | "/.well-known/jwks.json";

/** A client of the emulated bank. */
export interface EmulatorClient {
  clientId: string;
  clientSecret: string;
  /** Scopes that it may request. Default: every scope. */
  scopes?: readonly string[] | undefined;
}

/**
 * A fault to inject into a request. Without `status` and `reset` the request gets its usual response, after the delay and
 * with the headers.
 */
export interface Fault {
  path: EmulatorPath;
  /**
   * Which request to this path, counted from 1 as in `counts`. If two faults name the same request, the second one waits for
   * the next. Default: the next request that no other fault names.
   */
  nth?: number | undefined;
  /** For how many requests in a row; may be `Infinity`. Default: 1. */
  times?: number | undefined;
  /** Milliseconds to wait before anything else; with `Infinity` the request hangs until a side closes it. Default: 0. */
  delayMs?: number | undefined;
  /** Cuts the connection before the request is processed, or after it, so that only the response is lost. */
  reset?: "before" | "after" | undefined;
  /** Responds with this status instead, from 200 to 599; the request is not processed. */
  status?: number | undefined;
  /** Headers of the response, in place of others of the same name. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** Goes with `status`. A string is sent as it is, anything else as JSON. Default: nothing. */
  body?: unknown;
  /** Sends this many bytes of the body, then cuts the connection. */
  truncateBytes?: number | undefined;
}

/** A request and its outcome, without its headers, query and body. */
export interface EmulatorRequest {
  method: string;
  path: string;
  /** When it came in, by the emulator's clock, in milliseconds since 1970. */
  timeMs: number;
  /** HTTP status; 0 if the connection was cut. */
  status: number;
  /** The `error` or `message_code` of the response, if it has one. */
  code: string | undefined;
  /** Why the request was refused, if it was. */
  reason: string | undefined;
  /** Whether a fault was injected. */
  fault: boolean;
}

/** Limits of requests in a window of time. The defaults are those that the service documents. */
export interface EmulatorQuotas {
  /** Requests of a bank token. Default: 20. */
  tokenRequests?: number | undefined;
  /** Requests to create a customer token. Default: 200. */
  customerTokens?: number | undefined;
  /** Length of the window in seconds. Default: 300. */
  windowSeconds?: number | undefined;
}

/** Options of `startEmulator`. */
export interface EmulatorOptions {
  /** IP address to listen on, or `"localhost"`; `"0.0.0.0"` for a container whose port is published. Default: `"127.0.0.1"`. */
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
  /** Leaves `expires_in` out of the token response, as RFC 6749, section 5.1 allows. Default: false. */
  omitExpiresIn?: boolean | undefined;
  /** How tokens are signed. Default: RS256. */
  algorithm?: "RS256" | "RS512" | undefined;
  /**
   * RSA private key of at least 2048 bits, as PEM, to sign tokens with. Tokens then survive a restart with the same `issuer`,
   * and the start is faster. Default: a new one.
   */
  signingKey?: string | undefined;
  /** Clock: milliseconds since 1970. Default: `Date.now`. */
  now?: (() => number) | undefined;
  /** Faults to inject; `play` adds more. Default: none. */
  faults?: readonly Fault[] | undefined;
  /** Responds with 429 to more requests than these; `{}` means those that the service documents. Default: no limit. */
  quotas?: EmulatorQuotas | undefined;
  /** Called for every request, just before its response is sent. Its errors are not caught. */
  onRequest?: ((request: EmulatorRequest) => void) | undefined;
  /**
   * Offers the methods of `EmulatorControls` to other processes over HTTP: see docs/command-line.md. Whoever reaches the
   * emulator can then control it, except web pages. Default: false.
   */
  control?: boolean | undefined;
}

/** The requests that the emulator got, and ways to change its state: in this process by methods, and in others over HTTP. */
export interface EmulatorControls {
  /** How often each path was requested, whatever the outcome. `HEAD` does not count. */
  readonly counts: Readonly<Record<EmulatorPath, number>>;
  /** The last 1000 requests, in the order of their responses, without those that control the emulator. */
  readonly requests: readonly EmulatorRequest[];
  /**
   * Adds faults to inject. At most 1000 can wait for their request.
   *
   * @throws {TypeError} naming the mistake; then none is added
   */
  readonly play: (...faults: Fault[]) => void;
  /** Removes the faults that wait for their request, also those of the options. */
  readonly clearFaults: () => void;
  /** Revokes the bank tokens issued so far: they fail with 401 `authentication_failed`. */
  readonly revokeTokens: () => void;
  /** Replaces the signing key, also in the key set: bank tokens issued so far fail as above. */
  readonly rotateKey: () => Promise<void>;
  /**
   * Sets the emulator's clock forward, or back with a negative number. Timers, such as a fault's `delayMs`, do not change.
   *
   * @throws {TypeError} for anything but a number of milliseconds, or if it leads beyond the times that a `Date` can hold
   */
  readonly advanceClock: (advanceMs: number) => void;
  /**
   * Brings back the state that the emulator started with, for example between tests: counts, requests, quotas, faults, signing
   * key and clock. Bank tokens that were revoked are valid again.
   */
  readonly reset: () => void;
}

/** `Symbol.asyncDispose`, in projects whose types have it. */
type AsyncDispose = SymbolConstructor extends { readonly asyncDispose: infer Key extends symbol } ? Key : never;

/** A running emulator. `await using` closes it. */
export interface Emulator extends EmulatorControls, Readonly<Record<AsyncDispose, () => Promise<void>>> {
  /** Base URL, without a trailing slash. */
  readonly url: string;
  /** The first client. */
  readonly client: { readonly clientId: string; readonly clientSecret: string };
  /** The first customer; if every customer exists, one of them. */
  readonly customerGuid: string;
  /**
   * Signs a bank token that the emulator accepts, with some claims changed; `undefined` leaves a claim out.
   * `{ aud: "https://elsewhere" }` makes a token that it refuses.
   */
  readonly signToken: (claims?: Readonly<Record<string, unknown>>) => Promise<string>;
  /** Ends every connection and delay at once, and frees the port. */
  readonly close: () => Promise<void>;
}
