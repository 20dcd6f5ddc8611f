import {
  type CallOptions,
  clientCredentials,
  createCustomerTokensClient,
  type CustomerTokensClientOptions,
} from "../../src/index.js";
import { type KeyValueStore, sharedStore } from "../../src/auth/shared-token-store.js";
import { FakeClock } from "./clock.js";
import { fakeService, request, type Script } from "./service.js";

export const bank = { clientId: "bank", clientSecret: "s3cret" };
/** Client credentials with a store of bank tokens. */
export const withStore = (store: KeyValueStore) => clientCredentials({ ...bank, store: sharedStore(store) });

/** A client with client credentials, on a service in memory and a clock that only the test moves. */
export function setUp(script: Script = {}, options: Partial<CustomerTokensClientOptions> = {}) {
  const clock = new FakeClock();
  const service = fakeService(script);
  const client = createCustomerTokensClient({
    auth: options.auth ?? clientCredentials(bank),
    baseUrl: "https://idp.example",
    fetch: service.fetch,
    clock,
    random: () => 0.5,
    ...options,
  });
  const create = (callOptions?: CallOptions) => client.createCustomerToken(request, callOptions);
  const post = (init: object = {}) => client.api.POST("/api/customer_tokens", { body: request, ...init });
  return { clock, client, create, post, ...service };
}

/** A client without retries, for tests that count the requests. */
export const setUpOnce: typeof setUp = (script, options) => setUp(script, { maxRetries: 0, ...options });
