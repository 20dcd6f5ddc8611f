import { expectTypeOf } from "vitest";
import * as cybrid from "../../src/index.js";
import * as store from "../../src/auth/shared-token-store.js";
import { guid } from "../support/service.js";

// It is only compiled: lines that must compile, and lines that must not. Those of test/package/programs/types.ts, which is compiled
// against the package as it is built, are not here again.

const auth = cybrid.bearer("token");

// createCustomerTokensClient takes the environments of the description, or a base URL.
expectTypeOf<cybrid.Environment>().toEqualTypeOf<"sandbox" | "production">();
const client = cybrid.createCustomerTokensClient({ auth, environment: "production" });
cybrid.createCustomerTokensClient({ auth, baseUrl: new URL("https://127.0.0.1") });

// It wants authentication, made by bearer or clientCredentials.
// @ts-expect-error -- a token alone does not say how it is sent
cybrid.createCustomerTokensClient({ auth: "token" });
// @ts-expect-error -- no client id
cybrid.clientCredentials({ clientSecret: "secret" });
// @ts-expect-error -- a store is wrapped by sharedStore
cybrid.clientCredentials({ clientId: "client", clientSecret: "secret", store: new Map<string, string>() });

// It takes a plain function for fetch, and the platform's own.
cybrid.createCustomerTokensClient({ auth, fetch: async (url, init) => fetch(url, init) });
cybrid.createCustomerTokensClient({ auth, fetch });
// @ts-expect-error -- no response
cybrid.createCustomerTokensClient({ auth, fetch: async () => "answer" });

// It takes the console as a logger, undefined for every option, and no option by a wrong name.
cybrid.createCustomerTokensClient({ auth, logger: console });
type ClientOptions = Omit<cybrid.CustomerTokensClientOptions, "auth">;
expectTypeOf<{ [Name in keyof ClientOptions]-?: undefined }>().toExtend<ClientOptions>();
// @ts-expect-error -- it is timeoutMs
cybrid.createCustomerTokensClient({ auth, timeout: 1_000 });

// createCustomerToken wants a customer and scopes that the description knows.
void client.createCustomerToken({ customer_guid: guid, scopes: ["customers:read", "accounts:read"] });
const { CustomersRead } = cybrid.PostCustomerTokenIdpModelScopesEnum;
void client.createCustomerToken({ customer_guid: guid, scopes: [CustomersRead] });
// @ts-expect-error -- no scopes
void client.createCustomerToken({ customer_guid: guid });
// @ts-expect-error -- the service takes no such property
void client.createCustomerToken({ customer_guid: guid, scopes: [], expires_in: 60 });

// It takes readonly scopes, and so does api.
const scopes = ["customers:read", "accounts:read"] as const;
const request = { customer_guid: guid, scopes } as const;
void client.createCustomerToken(request);
void client.createCustomerToken({ customer_guid: guid, scopes: Object.freeze([...scopes]) });
void client.api.POST("/api/customer_tokens", { body: request });
// @ts-expect-error -- no such scope
void client.api.POST("/api/customer_tokens", { body: { customer_guid: guid, scopes: ["customers:own"] as const } });
// @ts-expect-error -- no array
void client.api.POST("/api/customer_tokens", { body: { customer_guid: guid, scopes: "customers:read" } });

// A call takes undefined for every option, and headers without a value.
expectTypeOf<{ [Name in keyof cybrid.CallOptions]-?: undefined }>().toExtend<cybrid.CallOptions>();
void client.createCustomerToken(request, { headers: { traceparent: undefined, "x-a": null, "x-b": "1" } });

// It returns an access token that is there.
type Created = Awaited<ReturnType<typeof client.createCustomerToken>>;
expectTypeOf<Created["access_token"]>().toEqualTypeOf<string>();
expectTypeOf<Created>().toExtend<cybrid.CustomerTokenIdpModel>();

// api types responses and errors as the description does, and leaves the token endpoint out.
const { data, error } = await client.api.POST("/api/customer_tokens", { body: request });
expectTypeOf(data).toEqualTypeOf<cybrid.CustomerTokenIdpModel | undefined>();
expectTypeOf(error).toEqualTypeOf<cybrid.ErrorResponseIdpModel | undefined>();
// @ts-expect-error -- no such operation
void client.api.GET("/api/customer_tokens");

// Errors are told apart by instanceof, name and code.
type Kind = cybrid.CustomerTokensError;
expectTypeOf<Extract<Kind, { code: "ERR_TIMEOUT" }>>().toEqualTypeOf<cybrid.TimeoutError>();
expectTypeOf<Extract<Kind, { name: "ApiError" }>>().toEqualTypeOf<cybrid.ApiError>();
expectTypeOf<Kind["code"]>().toEqualTypeOf<cybrid.ErrorCode>();
declare const caught: unknown;
if (caught instanceof cybrid.CustomerTokensError) {
  expectTypeOf(caught).toEqualTypeOf<Kind>();
  if (caught.code === "ERR_API") expectTypeOf(caught).toEqualTypeOf<cybrid.ApiError>();
  else if (caught.name === "TimeoutError") expectTypeOf(caught).toEqualTypeOf<cybrid.TimeoutError>();
  // @ts-expect-error -- no such name
  else void (caught.name === "ApiEror");
}
if (caught instanceof cybrid.ApiError) expectTypeOf(caught).toEqualTypeOf<cybrid.ApiError>();
declare const kind: Kind;
kind.name = "renamed";
// @ts-expect-error -- no such code
void (kind.code === "ERR_APPI");
// @ts-expect-error -- frameworks take an error's status for that of their own response
expectTypeOf<cybrid.InvalidResponseError>().toHaveProperty("status");

// messageCode knows the described codes and takes others.
expectTypeOf<"no_customer">().toExtend<cybrid.MessageCode>();
expectTypeOf<string>().toExtend<cybrid.MessageCode>();
expectTypeOf<cybrid.MessageCodeIdpModel>().not.toEqualTypeOf<string>();
expectTypeOf<cybrid.ApiError["body"]>().toBeUnknown();

// expiresAt returns a date or undefined.
expectTypeOf(cybrid.expiresAt).toEqualTypeOf<(jwt: string) => Date | undefined>();

// sharedStore takes what has get and set.
store.sharedStore(new Map<string, string>(), { operationTimeoutMs: undefined });
store.sharedStore({ get: () => undefined, set: () => true, add: undefined });
// @ts-expect-error -- no set
store.sharedStore({ get: () => undefined });
