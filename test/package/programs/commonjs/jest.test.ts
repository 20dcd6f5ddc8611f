import { ApiError, clientCredentials, createCustomerTokensClient } from "cybrid-customer-tokens";
import { startEmulator } from "cybrid-customer-tokens/emulator";
import { sharedStore } from "cybrid-customer-tokens/store";

declare function test(name: string, run: () => Promise<void>): void;
declare function expect(value: unknown): { toBe(expected: unknown): void; toBeInstanceOf(kind: unknown): void };

test("a service that creates customer tokens", async () => {
  const emulator = await startEmulator();
  try {
    const store = sharedStore(new Map<string, string>());
    const auth = clientCredentials({ ...emulator.client, store });
    const client = createCustomerTokensClient({ baseUrl: emulator.url, auth });
    const scopes = ["customers:read" as const];
    const { access_token } = await client.createCustomerToken({ customer_guid: emulator.customerGuid, scopes });
    expect(access_token.split(".").length).toBe(3);

    const refused = client.createCustomerToken({ customer_guid: "f".repeat(32), scopes });
    expect(await refused.catch((error: unknown) => error)).toBeInstanceOf(ApiError);
    expect(emulator.counts["/oauth/token"]).toBe(1);
  } finally {
    await emulator.close();
  }
});
