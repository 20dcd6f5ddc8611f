import cybrid = require("cybrid-customer-tokens");

const client: cybrid.CustomerTokensClient = cybrid.createCustomerTokensClient({ auth: cybrid.bearer("token") });

// @ts-expect-error -- no such scope
void client.createCustomerToken({ customer_guid: "", scopes: ["customers:own"] });
