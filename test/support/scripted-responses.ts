import type { FakeClock } from "./clock.js";
import {
  bankTokenOf,
  customerToken,
  cutOff,
  hang,
  json,
  later,
  type Script,
  type Seen,
  stale,
  steering,
  tokenResponse,
  unsignedJwt,
} from "./service.js";

/**
 * A response of the service, or an event instead of one, as fixtures write it: "reset", "cut off", "hang", "stale" (a
 * 401 authentication_failed) or "steering" (an error of Next.js). Any other text is a customer token. A list is a bank token,
 * or the claims of one, and its `expires_in`.
 */
export type ScriptedResponse =
  | string
  | [token: string | object, expires_in?: unknown]
  | {
      status?: number;
      json?: unknown;
      text?: string;
      headers?: Record<string, string>;
      /** The response, how often it comes, and how many milliseconds it takes: the clock does not move otherwise. */
      is?: ScriptedResponse;
      times?: number;
      takes?: number;
      /** It comes when a step says that it `arrives`. */
      later?: string;
      /** "stale" if the request has one of these bank tokens, or else a customer token. */
      refuses?: string | string[];
    };

type Respond = (seen: Seen) => Response | Promise<Response>;

const named: Record<string, Respond> = {
  reset: () => Promise.reject(new TypeError("fetch failed")),
  "cut off": () => cutOff(201),
  steering: () => Promise.reject(steering),
  hang,
  stale,
};

/** Reads the responses of a fixture. `waiting` are those that come later. */
export function scriptedResponses(clock: FakeClock, others: Record<string, Respond> = {}) {
  const waiting: Record<string, ReturnType<typeof later>> = {};

  function respond(entry: ScriptedResponse, seen: Seen): Response | Promise<Response> {
    if (typeof entry === "string") return ({ ...named, ...others }[entry] ?? (() => customerToken(entry)))(seen);
    if (Array.isArray(entry)) {
      const [token, expiresIn] = entry;
      return tokenResponse(typeof token === "string" ? token : unsignedJwt(token), expiresIn);
    }
    const { is, takes = 0, later: name, refuses, status, headers, text, json: body = {} } = entry;
    clock.advance(takes);
    if (is !== undefined) return respond(is, seen);
    if (name !== undefined) return (waiting[name] = later()).comes();
    if (refuses !== undefined) return refuses.includes(bankTokenOf(seen) ?? "") ? stale() : customerToken("c");
    const init = { ...(status !== undefined && { status }), headers: headers ?? {} };
    return text === undefined ? json(body, status, headers) : new Response(text, init);
  }

  const listOf = (list: ScriptedResponse[] | undefined) =>
    list?.flatMap((entry) => {
      const times = typeof entry === "object" && "times" in entry ? (entry.times ?? 1) : 1;
      return Array.from({ length: times }, () => (seen: Seen) => respond(entry, seen));
    });
  const script = (written: { tokens?: ScriptedResponse[]; customerTokens?: ScriptedResponse[] }): Script => ({
    tokens: listOf(written.tokens),
    customerTokens: listOf(written.customerTokens),
  });
  return { respond, waiting, script };
}
