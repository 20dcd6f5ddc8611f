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
  tokenAnswer,
  unsignedJwt,
} from "./service.js";

/**
 * A response of the service, or an event instead of one, as fixtures write it: "reset", "cut off", "hang", "stale" (a
 * 401 authentication_failed) or "steering" (an error of Next.js). Any other text is a customer token. A list is a bank token,
 * or the claims of one, and its `expires_in`.
 */
export type Answer =
  | string
  | [token: string | object, expires_in?: unknown]
  | {
      status?: number;
      json?: unknown;
      text?: string;
      headers?: Record<string, string>;
      /** The response, how often it comes, and how many milliseconds it takes: the clock does not move otherwise. */
      is?: Answer;
      times?: number;
      takes?: number;
      /** It comes when a step names it as its `answer`. */
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
export function answersOn(clock: FakeClock, others: Record<string, Respond> = {}) {
  const waiting: Record<string, ReturnType<typeof later>> = {};

  function respond(answer: Answer, seen: Seen): Response | Promise<Response> {
    if (typeof answer === "string") return ({ ...named, ...others }[answer] ?? (() => customerToken(answer)))(seen);
    if (Array.isArray(answer)) {
      const [token, expiresIn] = answer;
      return tokenAnswer(typeof token === "string" ? token : unsignedJwt(token), expiresIn);
    }
    const { is, takes = 0, later: name, refuses, status, headers, text, json: body = {} } = answer;
    clock.advance(takes);
    if (is !== undefined) return respond(is, seen);
    if (name !== undefined) return (waiting[name] = later()).comes();
    if (refuses !== undefined) return refuses.includes(bankTokenOf(seen) ?? "") ? stale() : customerToken("c");
    const init = { ...(status !== undefined && { status }), headers: headers ?? {} };
    return text === undefined ? json(body, status, headers) : new Response(text, init);
  }

  const listOf = (answers: Answer[] | undefined) =>
    answers?.flatMap((answer) => {
      const times = typeof answer === "object" && "times" in answer ? (answer.times ?? 1) : 1;
      return Array.from({ length: times }, () => (seen: Seen) => respond(answer, seen));
    });
  const script = (written: { tokens?: Answer[]; customerTokens?: Answer[] }): Script => ({
    tokens: listOf(written.tokens),
    customerTokens: listOf(written.customerTokens),
  });
  return { respond, waiting, script };
}
