import { bearer, type CallOptions, createCustomerTokensClient } from "cybrid-customer-tokens";

// Uses the platform's own types, from the DOM library or from Node's.

const { signal } = new AbortController();
const headers = new Headers({ "x-request": "1" });

export const options: CallOptions = { signal, headers };
export const client = createCustomerTokensClient({
  auth: bearer("token"),
  baseUrl: new URL("https://127.0.0.1"),
  headers,
  fetch: (input, init) => globalThis.fetch(input, init),
});

// @ts-expect-error -- not a signal
export const noSignal: CallOptions = { signal: true };
// @ts-expect-error -- not headers
export const noHeaders: CallOptions = { headers: 1 };
