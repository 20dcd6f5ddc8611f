import cybrid = require("cybrid-customer-tokens");
import { sharedStore } from "cybrid-customer-tokens/store";

const store = sharedStore(new Map<string, string>());
const auth = cybrid.clientCredentials({ clientId: "client", clientSecret: "secret", store });
const client: cybrid.CustomerTokensClient = cybrid.createCustomerTokensClient({ auth });

// @ts-expect-error -- no such scope
void client.createCustomerToken({ customer_guid: "", scopes: ["customers:own"] });
