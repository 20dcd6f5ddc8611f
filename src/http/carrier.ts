import { guardJson } from "./body.js";
import type { FinalResponse, PreparedRequest } from "./retry.js";
import { checkHeaderNames } from "../validate.js";

/**
 * openapi-fetch creates one of these instead of a `Request`, unless a middleware wants to see one. A `Request` costs more than
 * everything else in a call, since `fetch` then copies its body stream. And the first one loads the platform's whole fetch
 * implementation, which takes some 20 ms of a cold start.
 */
function Carrier(url: string, init: PreparedRequest["init"]) {
  // openapi-fetch would add a signal, which takes longer.
  return { url, init, method: init.method, signal: undefined };
}

/** The class that openapi-fetch uses for requests. */
export function requestClass(isSeen: boolean): typeof Request {
  return isSeen ? Request : (Carrier as unknown as typeof Request);
}

/** Takes a request apart for `fetch`. Its body is read once: the first attempt would use up a stream. */
export async function toPreparedRequest(request: Request, init: RequestInit): Promise<PreparedRequest> {
  if ("init" in request) {
    const { url: input, init: carried } = request as unknown as ReturnType<typeof Carrier>;
    if (carried.body === undefined || typeof carried.body === "string") return { input, init: carried };
    return toPreparedRequest(new Request(input, carried), init);
  }
  // A middleware may have added some.
  checkHeaderNames(request.headers.keys() as Iterable<string>);
  // Not on all platforms does `request.body` show whether there is one.
  const body = await request.arrayBuffer();
  const { url: input, method } = request;
  const headers = new Headers(request.headers);
  return { input, init: { ...init, method, headers, body: body.byteLength > 0 ? body : null } };
}

/** The response to a request, for openapi-fetch, its middleware and callers to read. */
export function toResponse({ response, bytes }: FinalResponse): Response {
  if (!bytes) return response;
  const { status, headers } = response;
  // `Response` refuses a body, even an empty one, with some statuses.
  const body = bytes.length > 0 ? (bytes as Uint8Array<ArrayBuffer>) : null;
  return guardJson(new Response(body, { status, headers }));
}
