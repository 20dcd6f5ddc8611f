import "reflect-metadata";
import { Controller, Get, Inject, Injectable, Module, Param } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import {
  clientCredentials,
  createCustomerTokensClient,
  expiresAt,
  type CustomerTokensClient,
} from "cybrid-customer-tokens";

const { baseUrl, clientId, clientSecret, customerGuid, unknownGuid } = JSON.parse(process.argv[2] ?? "");
const cybrid = Symbol("cybrid");

@Injectable()
class TokenService {
  constructor(@Inject(cybrid) private readonly client: CustomerTokensClient) {}

  async create(customer_guid: string): Promise<string> {
    return (await this.client.createCustomerToken({ customer_guid, scopes: ["customers:read"] })).access_token;
  }
}

@Controller("tokens")
class TokenController {
  constructor(private readonly service: TokenService) {}

  @Get(":guid")
  async create(@Param("guid") guid: string): Promise<string> {
    return expiresAt(await this.service.create(guid)) ? "token" : "no token";
  }
}

const useFactory = () => createCustomerTokensClient({ baseUrl, auth: clientCredentials({ clientId, clientSecret }) });

@Module({ controllers: [TokenController], providers: [TokenService, { provide: cybrid, useFactory }] })
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: false });
await app.listen(0, "127.0.0.1");
const url = await app.getUrl();
for (const guid of [customerGuid, unknownGuid]) {
  const response = await fetch(`${url}/tokens/${guid}`);
  console.log(response.status, await response.text());
}
await app.close();
