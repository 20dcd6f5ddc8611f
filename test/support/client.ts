import {
  type CallOptions,
  clientCredentials,
  createCustomerTokensClient,
  type CustomerTokensClientOptions,
} from "../../src/index.js";
import { FakeClock } from "./clock.js";
import { fakeService, guid } from "./service.js";

/** A client with client credentials, on a service in memory and a clock that stands still. */
export function setUp(
  script: Parameters<typeof fakeService>[0] = {},
  options: Partial<CustomerTokensClientOptions> = {},
) {
  const clock = new FakeClock();
  const service = fakeService(script);
  const client = createCustomerTokensClient({
    auth: options.auth ?? clientCredentials({ clientId: "bank", clientSecret: "s3cret" }),
    baseUrl: "https://idp.example",
    fetch: service.fetch,
    clock,
    random: () => 0.5,
    ...options,
  });
  const mint = (callOptions?: CallOptions) =>
    client.createCustomerToken({ customer_guid: guid, scopes: ["customers:read"] }, callOptions);
  return { clock, client, mint, ...service };
}
