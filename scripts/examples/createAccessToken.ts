import { clientCredentials, createCustomerTokensClient } from "cybrid-customer-tokens";

// The client requests bank tokens itself, keeps them and renews them: there is no method to call.
export const cybrid = createCustomerTokensClient({
  auth: clientCredentials({
    clientId: process.env["CYBRID_CLIENT_ID"] ?? "",
    clientSecret: process.env["CYBRID_CLIENT_SECRET"] ?? "",
  }),
});
