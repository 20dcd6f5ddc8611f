import { vi } from "vitest";

/** One request as `fetch` saw it. */
export interface Seen {
  url: string;
  headers: Headers;
  body: unknown;
  init: RequestInit;
}

type Reply = Response | Error | Promise<Response> | ((seen: Seen) => Response | Promise<Response>);

/** The responses of the service, by endpoint. Each list is used in order, and its last entry again and again. */
export interface Script {
  tokens?: Reply[] | undefined;
  customerTokens?: Reply[] | undefined;
}

/** A service in memory, behind a `fetch` to inject. Without a list it responds as it should. */
export function fakeService(script: Script = {}) {
  const tokenRequests: Seen[] = [];
  const customerTokenRequests: Seen[] = [];
  const fetch = vi.fn(async (input: string | URL | Request, init: RequestInit = {}) => {
    const request = new Request(input, init);
    const text = await request.text();
    const seen = { url: request.url, headers: request.headers, body: text && (JSON.parse(text) as unknown), init };
    const isToken = request.url.endsWith("/oauth/token");
    const log = isToken ? tokenRequests : customerTokenRequests;
    log.push(seen);
    const list = isToken ? script.tokens : script.customerTokens;
    const reply = list?.[Math.min(log.length, list.length) - 1];
    if (reply instanceof Error) throw reply;
    if (typeof reply === "function") return reply(seen);
    if (reply) return reply instanceof Response ? reply.clone() : reply;
    return isToken ? tokenResponse(`bank-${log.length}`, 3600) : customerToken(`customer-${log.length}`);
  });
  /** The bank tokens that calls were sent with. */
  const bankTokens = () => customerTokenRequests.map(bankTokenOf);
  return { fetch, tokenRequests, customerTokenRequests, bankTokens };
}

export function bankTokenOf({ headers }: Seen): string | undefined {
  return headers.get("authorization")?.replace("Bearer ", "");
}

export function json(body: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { "content-type": "application/json", ...headers },
  });
}

export function tokenResponse(access_token: string, expires_in?: unknown): Response {
  return json({ access_token, token_type: "Bearer", expires_in });
}

export function customerToken(access_token: string): Response {
  return json({ access_token }, 201);
}

export function refusal(status: number, message_code: string, error_message = message_code): Response {
  return json({ status, error_message, message_code }, status);
}

export const stale = () => refusal(401, "authentication_failed", "Signature has expired");

/** A reply of the connection: it never comes, and goes when the signal says so. */
export const hang = ({ init }: Seen): Promise<Response> =>
  new Promise((_, reject) => {
    init.signal?.addEventListener("abort", () => reject(init.signal?.reason as Error));
  });

/** A reply whose body breaks off. */
export const cutOff = (status: number, reason: Error = new TypeError("terminated"), headers = {}) =>
  new Response(new ReadableStream({ start: (controller) => controller.error(reason) }), { status, headers });

/** A reply that comes when the test says so. */
export function later() {
  let respond!: (response: Response) => void;
  let fail!: (reason: unknown) => void;
  const promise = new Promise<Response>((resolve, reject) => ([respond, fail] = [resolve, reject]));
  return { comes: () => promise, respond, fail };
}

/** What a call rejects with. */
export async function failureOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
}

/** An unsigned JWT, for code that only reads claims. */
export function unsignedJwt(claims: unknown): string {
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${encode({ alg: "RS256" })}.${encode(claims)}.c2lnbmF0dXJl`;
}

/** The claims of a JWT. */
export function claims(jwt: string): { sub: string; iss: string; iat: number; exp: number } {
  const payload = Buffer.from(jwt.split(".")[1] ?? "", "base64url").toString();
  return JSON.parse(payload) as { sub: string; iss: string; iat: number; exp: number };
}

export const guid = "0123456789abcdef0123456789abcdef";
export const request = { customer_guid: guid, scopes: ["customers:read" as const] };
export const steering = Object.assign(new Error("dynamic"), { digest: "DYNAMIC_SERVER_USAGE" });
