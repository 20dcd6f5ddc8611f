import { clientCredentials, createCustomerTokensClient, expiresAt } from "cybrid-customer-tokens";

export const setting = (name) => JSON.parse(process.env.SETTINGS)[name];

/** Creates a customer token, and says so without giving it to Next. */
export async function mint(name = "client") {
  const { baseUrl, clientId, clientSecret, customerGuid } = setting(name);
  const cybrid = createCustomerTokensClient({ baseUrl, auth: clientCredentials({ clientId, clientSecret }) });
  const { access_token } = await cybrid.createCustomerToken({
    customer_guid: customerGuid,
    scopes: ["customers:read"],
  });
  return expiresAt(access_token) ? "minted" : "no token";
}
