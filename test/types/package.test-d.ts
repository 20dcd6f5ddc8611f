import { describe, expectTypeOf, test } from "vitest";
import * as cybrid from "../../src/index.js";
import * as store from "../../src/auth/shared-token-store.js";
import { guid } from "../support/service.js";

// Lines that test/package/programs/types.ts has, which is compiled against the package as it is built, are not here again.

const auth = cybrid.bearer("token");
const client = cybrid.createCustomerTokensClient({ auth });

describe("createCustomerTokensClient", () => {
  test("takes the environments of the description, or a base URL", () => {
    expectTypeOf<cybrid.Environment>().toEqualTypeOf<"sandbox" | "production">();
    cybrid.createCustomerTokensClient({ auth, environment: "production" });
    cybrid.createCustomerTokensClient({ auth, baseUrl: new URL("https://127.0.0.1") });
  });

  test("wants authentication, made by bearer or clientCredentials", () => {
    // @ts-expect-error -- a token alone does not say how it is sent
    cybrid.createCustomerTokensClient({ auth: "token" });
    // @ts-expect-error -- no client id
    cybrid.clientCredentials({ clientSecret: "secret" });
    // @ts-expect-error -- a store is wrapped by sharedStore
    cybrid.clientCredentials({ clientId: "client", clientSecret: "secret", store: new Map<string, string>() });
  });

  test("takes a plain function for fetch, and the platform's own", () => {
    cybrid.createCustomerTokensClient({ auth, fetch: async (url, init) => fetch(url, init) });
    cybrid.createCustomerTokensClient({ auth, fetch });
    // @ts-expect-error -- no answer
    cybrid.createCustomerTokensClient({ auth, fetch: async () => "answer" });
  });

  test("takes no option by a wrong name", () => {
    // @ts-expect-error -- it is timeoutMs
    cybrid.createCustomerTokensClient({ auth, timeout: 1_000 });
  });
});

describe("createCustomerToken", () => {
  test("wants a customer and scopes that the description knows", () => {
    void client.createCustomerToken({ customer_guid: guid, scopes: ["customers:read", "accounts:read"] });
    const { CustomersRead } = cybrid.PostCustomerTokenIdpModelScopesEnum;
    void client.createCustomerToken({ customer_guid: guid, scopes: [CustomersRead] });
    // @ts-expect-error -- no scopes
    void client.createCustomerToken({ customer_guid: guid });
    // @ts-expect-error -- the service takes no such property
    void client.createCustomerToken({ customer_guid: guid, scopes: [], expires_in: 60 });
  });

  test("takes readonly scopes, and so does api", () => {
    const scopes = ["customers:read", "accounts:read"] as const;
    const request = { customer_guid: guid, scopes } as const;
    void client.createCustomerToken(request);
    void client.createCustomerToken({ customer_guid: guid, scopes: Object.freeze([...scopes]) });
    void client.api.POST("/api/customer_tokens", { body: request });
    // @ts-expect-error -- no such scope
    void client.api.POST("/api/customer_tokens", { body: { customer_guid: guid, scopes: ["customers:own"] as const } });
    // @ts-expect-error -- no array
    void client.api.POST("/api/customer_tokens", { body: { customer_guid: guid, scopes: "customers:read" } });
  });

  test("takes undefined for every option", () => {
    const none = undefined as undefined;
    cybrid.createCustomerTokensClient({
      auth,
      environment: none,
      baseUrl: none,
      allowInsecureHttp: none,
      timeoutMs: none,
      maxRetries: none,
      headers: none,
      fetch: none,
      logger: none,
      clock: none,
      random: none,
    });
    cybrid.createCustomerTokensClient({ auth, logger: console });
    const { signal } = {} as { signal?: AbortSignal };
    const headers = { traceparent: none, "x-a": null, "x-b": "1" };
    void client.createCustomerToken(
      { customer_guid: guid, scopes: ["customers:read"] },
      { signal, timeoutMs: none, headers },
    );
  });

  test("gives an access token that is there", () => {
    type Created = Awaited<ReturnType<typeof client.createCustomerToken>>;
    expectTypeOf<Created["access_token"]>().toEqualTypeOf<string>();
    expectTypeOf<Created>().toExtend<cybrid.CustomerTokenIdpModel>();
  });
});

describe("api", () => {
  test("types answers and errors as the description does, and leaves the token endpoint out", async () => {
    const { data, error } = await client.api.POST("/api/customer_tokens", {
      body: { customer_guid: guid, scopes: ["customers:read"] },
    });
    expectTypeOf(data).toEqualTypeOf<cybrid.CustomerTokenIdpModel | undefined>();
    expectTypeOf(error).toEqualTypeOf<cybrid.ErrorResponseIdpModel | undefined>();
    // @ts-expect-error -- no such operation
    void client.api.GET("/api/customer_tokens");
  });
});

describe("errors", () => {
  test("are told apart by instanceof, name and code", () => {
    type Kind =
      | cybrid.ApiError
      | cybrid.TokenRequestError
      | cybrid.ConnectionError
      | cybrid.TimeoutError
      | cybrid.InvalidResponseError
      | cybrid.InvalidArgumentError;
    expectTypeOf<Kind>().toExtend<cybrid.CustomerTokensError>();
    expectTypeOf<Extract<Kind, { code: "ERR_TIMEOUT" }>>().toEqualTypeOf<cybrid.TimeoutError>();
    expectTypeOf<Extract<Kind, { name: "ApiError" }>>().toEqualTypeOf<cybrid.ApiError>();
    const error = {} as cybrid.ApiError;
    error.name = "renamed";
    expectTypeOf<cybrid.CustomerTokensError["code"]>().toEqualTypeOf<cybrid.ErrorCode>();
    expectTypeOf<Kind["code"]>().toEqualTypeOf<cybrid.ErrorCode>();
    const base = {} as cybrid.CustomerTokensError;
    // @ts-expect-error -- no such code
    void (base.code === "ERR_APPI");
    const invalid = {} as cybrid.InvalidResponseError;
    // @ts-expect-error -- frameworks take an error's status for that of their own answer
    void invalid.status;
  });

  test("messageCode knows the described codes and takes others", () => {
    expectTypeOf<"no_customer">().toExtend<cybrid.MessageCode>();
    expectTypeOf<string>().toExtend<cybrid.MessageCode>();
    expectTypeOf<cybrid.MessageCodeIdpModel>().not.toEqualTypeOf<string>();
    expectTypeOf<cybrid.ApiError["body"]>().toBeUnknown();
  });
});

describe("expiresAt", () => {
  test("gives a date or undefined", () => {
    expectTypeOf(cybrid.expiresAt).toEqualTypeOf<(jwt: string) => Date | undefined>();
  });
});

describe("sharedStore", () => {
  test("takes what has get and set", () => {
    store.sharedStore(new Map<string, string>(), { operationTimeoutMs: undefined });
    store.sharedStore({ get: () => undefined, set: () => true, add: undefined });
    // @ts-expect-error -- no set
    store.sharedStore({ get: () => undefined });
  });
});
