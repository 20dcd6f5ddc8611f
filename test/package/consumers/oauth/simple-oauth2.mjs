import { ClientCredentials } from "simple-oauth2";

const [url, id, secret] = process.argv.slice(2);
for (const bodyFormat of ["form", "json"]) {
  for (const authorizationMethod of ["header", "body"]) {
    for (const credentialsEncodingMode of ["strict", "loose"]) {
      const client = new ClientCredentials({
        client: { id, secret },
        auth: { tokenHost: url, tokenPath: "/oauth/token" },
        options: { bodyFormat, authorizationMethod, credentialsEncodingMode },
      });
      const { token } = await client.getToken({ scope: ["customers:read", "customers:write"] });
      if (token.token_type !== "Bearer") throw new Error(`expected a bearer token, got ${token.token_type}`);
    }
  }
}
