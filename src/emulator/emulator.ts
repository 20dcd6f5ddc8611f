import { createFaults } from "./faults.js";
import type { EmulatorOptions, EmulatorPath, EmulatorRequest, Fault } from "./options.js";
import { checkOptions } from "./options.js";
import { createProvider } from "./provider.js";
import { startServer } from "./server.js";

export type { EmulatorClient, EmulatorOptions, EmulatorPath, EmulatorRequest, Fault } from "./options.js";

/** A running emulator. */
export interface Emulator extends AsyncDisposable {
  /** Base URL, without a trailing slash. */
  readonly url: string;
  /** The first client. */
  readonly client: { readonly clientId: string; readonly clientSecret: string };
  /** The first customer; where every customer exists, one of them. */
  readonly customerGuid: string;
  /** How often each path was asked for, whatever the answer. `HEAD` does not count. */
  readonly counts: Readonly<Record<EmulatorPath, number>>;
  /** The last 1000 requests, in the order they were answered. */
  readonly requests: readonly EmulatorRequest[];
  /**
   * Adds faults.
   *
   * @throws {TypeError} saying what is wrong; then none is added
   */
  play(...faults: Fault[]): void;
  /**
   * Signs a bank token that the emulator accepts, with some claims changed; `undefined` leaves a claim out.
   * `{ aud: "https://elsewhere" }` gives a token that it refuses.
   */
  signToken(claims?: Readonly<Record<string, unknown>>): Promise<string>;
  /** Revokes the bank tokens issued so far: they fail with 401 `authentication_failed`. */
  revokeTokens(): void;
  /** Replaces the signing key, also in the key set: bank tokens issued so far fail as above. */
  rotateKey(): Promise<void>;
  /** Ends every connection and delay at once, and frees the port. */
  close(): Promise<void>;
}

/**
 * Starts an identity provider for tests and demonstrations. It serves the token endpoint, the customer-tokens endpoint, the
 * key set and the discovery documents. Its tokens are real RSA-signed JWTs; it checks what the service checks, and gives
 * each failure its documented status, message and code.
 *
 * The service documents no code for a body that is not JSON or breaks the schema. The emulator answers 422
 * `invalid_parameter`.
 *
 * @throws {TypeError} naming the option that is wrong
 */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  checkOptions(options);
  const faults = createFaults(options);
  const provider = await createProvider(options);
  const { url, requests, close } = await startServer(options, provider, faults);
  provider.setUrl(url);
  const { counts, play } = faults;
  const { client, customerGuid, signToken, revokeTokens, rotateKey } = provider;
  const methods = { play, signToken, revokeTokens, rotateKey, close, [Symbol.asyncDispose]: close };
  return { url, client, customerGuid, counts, requests, ...methods };
}
