// What the benchmark needs of the clients that it generates. They are there only while it runs.

declare module "peers/typescript-fetch" {
  export class Configuration {
    constructor(options: { basePath: string; fetchApi: typeof fetch; accessToken: string });
  }
  export class CustomerTokensIdpApi {
    constructor(configuration: Configuration);
    createCustomerToken(request: {
      postCustomerTokenIdpModel: { customerGuid: string; scopes: Set<string> };
    }): Promise<{ accessToken?: string }>;
  }
}

declare module "peers/hey-api" {
  export interface HeyApiClient {
    readonly kind: "hey-api";
  }
  export function createCustomerToken(options: {
    client: HeyApiClient;
    body: { customer_guid: string; scopes: string[] };
  }): Promise<{ data?: { access_token?: string } }>;
}

declare module "peers/hey-api-client" {
  import type { HeyApiClient } from "peers/hey-api";
  export function createClient(options: { baseUrl: string; fetch: typeof fetch; auth: () => string }): HeyApiClient;
}
