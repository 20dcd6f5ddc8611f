import * as client from "openid-client";

const [url, id, secret, customer_guid, scope] = process.argv.slice(2);
const execute = [client.allowInsecureRequests];
for (const algorithm of ["oidc", "oauth2"]) {
  for (const authentication of [client.ClientSecretBasic(secret), client.ClientSecretPost(secret)]) {
    const config = await client.discovery(new URL(url), id, undefined, authentication, { algorithm, execute });
    const bank = await client.clientCredentialsGrant(config, { scope: "customers:read customers:write" });
    const response = await client.fetchProtectedResource(
      config,
      bank.access_token,
      new URL(`${url}/api/customer_tokens`),
      "POST",
      JSON.stringify({ customer_guid, scopes: [scope] }),
      new Headers({ "content-type": "application/json" }),
    );
    if (response.status !== 201) throw new Error(`expected 201, got ${response.status}`);
  }
}
const config = await client.discovery(new URL(url), id, undefined, client.ClientSecretPost(secret), { execute });
const refused = await client
  .fetchProtectedResource(config, "e30.e30.e30", new URL(`${url}/api/customer_tokens`), "POST")
  .catch((error) => error);
// It reads the challenge of RFC 6750.
if (refused.cause?.[0]?.parameters?.error !== "invalid_token")
  throw new Error(`expected invalid_token, got ${refused}`);
