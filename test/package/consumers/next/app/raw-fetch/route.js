import { setting } from "../../create.js";

export const revalidate = 60;
export async function GET() {
  const { baseUrl, clientId, clientSecret } = setting("raw-fetch");
  const response = await fetch(`${baseUrl}/oauth/token`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ grant_type: "client_credentials", client_id: clientId, client_secret: clientSecret }),
  });
  return new Response((await response.json()).access_token ? "created" : "no token");
}
