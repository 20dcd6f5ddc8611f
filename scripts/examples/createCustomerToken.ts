import { clientCredentials, createCustomerTokensClient } from "cybrid-customer-tokens";

const cybrid = createCustomerTokensClient({
  environment: "sandbox",
  auth: clientCredentials({
    clientId: process.env["CYBRID_CLIENT_ID"] ?? "",
    clientSecret: process.env["CYBRID_CLIENT_SECRET"] ?? "",
  }),
});

const { access_token } = await cybrid.createCustomerToken({
  customer_guid: process.env["CYBRID_CUSTOMER_GUID"] ?? "",
  scopes: ["customers:read", "accounts:read"],
});
console.log(`a token of ${access_token.length} characters`);
