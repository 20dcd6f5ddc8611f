import {
  bearer,
  type CallOptions,
  clientCredentials,
  createCustomerTokensClient,
  type CustomerTokenIdpModel,
  type Environment,
  type MessageCode,
  PostCustomerTokenIdpModelScopesEnum,
} from "cybrid-customer-tokens";
import { sharedStore } from "cybrid-customer-tokens/store";

// Lines that compile, and lines that must not, show that no type has become `any` in the build.

const environment: Environment = "production";
const store = sharedStore(new Map<string, string>());
const auth = clientCredentials({ clientId: "client", clientSecret: "secret", store });
const options: CallOptions = { timeoutMs: 1_000, headers: { "x-request": "1" } };
const client = createCustomerTokensClient({ environment, auth });
const scopes = [PostCustomerTokenIdpModelScopesEnum.CustomersRead, "accounts:read" as const];

export const created: Promise<CustomerTokenIdpModel & { access_token: string }> = client.createCustomerToken(
  { customer_guid: "0".repeat(32), scopes },
  options,
);
export const known: MessageCode = "no_customer";
export const unknown: MessageCode = "a_new_one";
export const value = client.api.POST("/api/customer_tokens", { body: { customer_guid: "", scopes: ["prices:read"] } });

// @ts-expect-error -- no such environment
createCustomerTokensClient({ environment: "staging", auth: bearer("token") });
// @ts-expect-error -- no authentication
createCustomerTokensClient({ environment });
// @ts-expect-error -- no secret
clientCredentials({ clientId: "client" });
// @ts-expect-error -- no such scope
void client.createCustomerToken({ customer_guid: "", scopes: ["customers:own"] });
// @ts-expect-error -- no customer
void client.createCustomerToken({ scopes: ["customers:read"] });
// @ts-expect-error -- an access token is a string
created.then(({ access_token }): number => access_token);
// @ts-expect-error -- no such path
void client.api.POST("/oauth/token", { body: {} });
