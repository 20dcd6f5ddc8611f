/** A response of the emulator. */
export interface Reply {
  status: number;
  /** A string is sent as text, anything else as JSON. */
  body?: unknown;
  headers?: Readonly<Record<string, string>>;
  /** Why the request was refused, for the log, if the body says too little. */
  reason?: string | undefined;
}

/** Thrown to refuse a request. */
export type Refusal = ReturnType<typeof refusal>;
const refusal = (reply: Reply) => Object.assign(new Error("refused"), { reply });

export const noStore = { "cache-control": "no-store", pragma: "no-cache" };

/** An error of RFC 6749, section 5.2. */
export function tokenError(status: 400 | 401, error: string, error_description: string): Refusal {
  const challenge = status === 401 && { "www-authenticate": 'Basic realm="emulator"' };
  return refusal({ status, body: { error, error_description }, headers: { ...noStore, ...challenge } });
}

/**
 * An error of the API in the service's own words, with the challenge of RFC 6750, section 3 if one is due.
 *
 * @param error The challenge's error code
 * @param reason For the log, if the message says too little
 */
export function apiError(status: number, message_code: string, error_message: string, error?: string, reason?: string) {
  const challenge = `Bearer realm="emulator"${error === undefined ? "" : `, error="${error}"`}`;
  const headers = [401, 403].includes(status) && { "www-authenticate": challenge };
  return refusal({ status, body: { status, error_message, message_code }, headers: { ...headers }, reason });
}
