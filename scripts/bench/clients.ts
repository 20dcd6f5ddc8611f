// The same call by each client: creates one token, and returns its text. Bundled and run by bench.ts, on the package as it is
// built and on peers that are generated from the same spec.
import { bearer, createCustomerTokensClient } from "cybrid-customer-tokens";
import createClient from "openapi-fetch";
import { createCustomerToken as heyApiCall } from "peers/hey-api";
import { createClient as createHeyApi } from "peers/hey-api-client";
import { Configuration, CustomerTokensIdpApi } from "peers/typescript-fetch";
import type { paths } from "../../generated/paths.js";

const body: { customer_guid: string; scopes: "customers:read"[] } = {
  customer_guid: "0123456789abcdef0123456789abcdef",
  scopes: ["customers:read"],
};
const token = "bank-token";

type Call = () => Promise<string | undefined>;
type Fetch = typeof globalThis.fetch;

const init = (): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
  body: JSON.stringify(body),
});

async function tokenOf(response: Response): Promise<string> {
  return ((await response.json()) as { access_token: string }).access_token;
}

/** The floor: written by hand, with neither deadline nor retries nor a check of the response. */
export function raw(fetch: Fetch, baseUrl: string): Call {
  return async () => tokenOf(await fetch(`${baseUrl}/api/customer_tokens`, init()));
}

/** The floor of every client whose calls can time out, and whose responses no cache may keep. */
export function rawWithDeadline(fetch: Fetch, baseUrl: string): Call {
  return async () => {
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), 10_000);
    try {
      const careful: RequestInit = { ...init(), signal: controller.signal, cache: "no-store" };
      return await tokenOf(await fetch(`${baseUrl}/api/customer_tokens`, careful));
    } finally {
      clearTimeout(timer);
    }
  };
}

export function ours(fetch: Fetch, baseUrl: string): Call {
  const client = createCustomerTokensClient({ auth: bearer(token), fetch, baseUrl });
  return async () => (await client.createCustomerToken(body)).access_token;
}

export function openapiFetch(fetch: Fetch, baseUrl: string): Call {
  const client = createClient<paths>({ fetch, baseUrl, headers: { authorization: `Bearer ${token}` } });
  return async () => (await client.POST("/api/customer_tokens", { body })).data?.access_token;
}

export function typescriptFetch(fetch: Fetch, baseUrl: string): Call {
  const api = new CustomerTokensIdpApi(new Configuration({ basePath: baseUrl, fetchApi: fetch, accessToken: token }));
  const postCustomerTokenIdpModel = { customerGuid: body.customer_guid, scopes: new Set(body.scopes) };
  return async () => (await api.createCustomerToken({ postCustomerTokenIdpModel })).accessToken;
}

export function heyApi(fetch: Fetch, baseUrl: string): Call {
  const client = createHeyApi({ baseUrl, fetch, auth: () => token });
  return async () => (await heyApiCall({ client, body })).data?.access_token;
}

/** A call that is refused with this text, in which secrets are looked for. */
export function refused(text: string): Call {
  const fetch = () => Promise.resolve(new Response(text, { status: 422 }));
  const client = createCustomerTokensClient({ auth: bearer("\\secret-%5C"), fetch, baseUrl: "https://idp.example" });
  return () =>
    client.createCustomerToken(body).then(
      ({ access_token }) => access_token,
      () => undefined,
    );
}
