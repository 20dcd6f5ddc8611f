import { clientCredentials, createCustomerTokensClient, expiresAt } from "cybrid-customer-tokens";
import { customerTokenCache } from "cybrid-customer-tokens/cache";

export const setting = (name) => JSON.parse(process.env.SETTINGS)[name];

/** Creates a customer token, and says so without giving it to Next. */
export async function create(name = "client") {
  const { baseUrl, clientId, clientSecret, customerGuid } = setting(name);
  const cybrid = createCustomerTokensClient({ baseUrl, auth: clientCredentials({ clientId, clientSecret }) });
  const { access_token } = await cybrid.createCustomerToken({
    customer_guid: customerGuid,
    scopes: ["customers:read"],
  });
  return expiresAt(access_token) ? "created" : "no token";
}

/** Shows a token that the cache has already, so that no request is sent. */
export async function show(name) {
  const tokens = customerTokenCache({ createCustomerToken: async () => ({ access_token: setting(name).token }) });
  const { access_token } = await tokens.get({ customer_guid: "f".repeat(32), scopes: ["customers:read"] });
  return `created ${access_token}`;
}
