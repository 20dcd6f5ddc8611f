import { clientCredentials, createCustomerTokensClient, type CustomerTokensClient } from "cybrid-customer-tokens";
import { journey, type Setting } from "./journey";

function Injectable(): ClassDecorator {
  return () => {};
}

/** A service as NestJS has them: decorators, and a constructor whose types are written into the code. */
@Injectable()
class TokenService {
  constructor(private readonly client: CustomerTokensClient) {}

  async create(customer_guid: string): Promise<string> {
    return (await this.client.createCustomerToken({ customer_guid, scopes: ["customers:read"] })).access_token;
  }
}

async function bootstrap(setting: Setting): Promise<void> {
  const { baseUrl, clientId, clientSecret, customerGuid } = setting;
  const auth = clientCredentials({ clientId, clientSecret });
  await new TokenService(createCustomerTokensClient({ baseUrl, auth })).create(customerGuid);
  console.log(JSON.stringify({ versions: process.versions, outcomes: await journey(setting) }));
}
void bootstrap(JSON.parse(process.argv[2] ?? ""));
