import { generateKeyPairSync } from "node:crypto";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { type Emulator, type EmulatorOptions, type EmulatorPath, startEmulator } from "../../src/emulator/emulator.js";
import { asObject, getIn, type OpenApi } from "../../scripts/spec/json.js";
import { schemaCheck } from "./described.js";
import { spec } from "../../generated/emulator/spec.js";
import { PostCustomerTokenIdpModelScopesEnum } from "../../src/index.js";

/** A scope that customer tokens can have, whatever the description. */
export const [scope = "none"] = Object.values<string>(PostCustomerTokenIdpModelScopesEnum);

/** One key for all emulators of a file: making one takes longer than most tests. */
const signingKey = generateKeyPairSync("rsa", { modulusLength: 2048 })
  .privateKey.export({ type: "pkcs8", format: "pem" })
  .toString();

const running: Emulator[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((emulator) => emulator.close()));
});

/** Starts an emulator for one test. With `signingKey: undefined` it makes its own key. */
export async function start(options: EmulatorOptions = {}) {
  const emulator = await startEmulator({ signingKey, ...options });
  running.push(emulator);
  return talkTo(emulator);
}

/** One emulator for all tests of a file that leave it as it was. */
export function startShared(options: EmulatorOptions = {}): ReturnType<typeof talkTo> {
  const shared = {} as ReturnType<typeof talkTo>;
  beforeAll(async () => void Object.assign(shared, talkTo(await startEmulator({ signingKey, ...options }))));
  afterAll(() => shared.emulator.close());
  return shared;
}

function talkTo(emulator: Emulator) {
  const post = (path: EmulatorPath, body: unknown, headers: Record<string, string> = {}) =>
    fetch(`${emulator.url}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  const get = (path: string, method = "GET") => fetch(`${emulator.url}${path}`, { method });
  const credentials = {
    grant_type: "client_credentials",
    client_id: emulator.client.clientId,
    client_secret: emulator.client.clientSecret,
  };
  const requestToken = (change: object = {}) => post("/oauth/token", { ...credentials, ...change });
  const bankToken = async (change: object = {}) => accessToken(await requestToken(change));
  const order = { customer_guid: emulator.customerGuid, scopes: [scope] };
  const create = (token?: string, change: object = {}) =>
    post(
      "/api/customer_tokens",
      { ...order, ...change },
      token === undefined ? {} : { authorization: `Bearer ${token}` },
    );
  return { emulator, post, get, credentials, requestToken, bankToken, create, order };
}

export async function accessToken(response: Response): Promise<string> {
  return ((await response.json()) as { access_token: string }).access_token;
}

const check = schemaCheck(spec as unknown as OpenApi);

/** The body of a response, which has to be one of the description's. */
export async function documented(path: "/oauth/token" | "/api/customer_tokens", response: Response): Promise<unknown> {
  const media = getIn(spec, ["paths", path, "post", "responses", `${response.status}`, "content", "application/json"]);
  expect(media, `${path} with ${response.status} in the description`).toBeDefined();
  expect(response.headers.get("content-type")).toBe("application/json");
  const body: unknown = await response.json();
  expect(check(asObject(media)["schema"], body)).toBeUndefined();
  return body;
}
