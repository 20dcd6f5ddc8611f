import { describe, expect, test } from "vitest";
import { clientCredentials, CustomerTokensError } from "../../src/index.js";
import { type ScriptedResponse, scriptedResponses } from "../support/scripted-responses.js";
import { fill, readCases } from "../support/cases.js";
import { setUp } from "../support/client.js";
import { FakeClock } from "../support/clock.js";
import { cutOff, failureOf, unsignedJwt } from "../support/service.js";
import { shown } from "../support/shown.js";

interface Case {
  tokens?: ScriptedResponse[];
  customerTokens?: ScriptedResponse[];
  /** A text that the error may show, and does. */
  shows?: string;
}

const secret = 'canary"secret/+%';
const bankToken = "canary-bank-token";
const jwt = unsignedJwt({ sub: "canary" });
/** Headers of the caller's, whose names speak of a secret, and one whose name does not. */
const headers = {
  "x-api-key": "canary-key",
  "X-Auth-Token": "canary-token-1",
  "client-secret": "canary/secret+1",
  cookie: "session=canary-session; theme=canary-theme",
  "proxy-authorization": "Basic canary-basic==",
  "x-trace": "kept-trace",
};
const spellings = [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)];
const echo = `you sent ${[...spellings, bankToken, jwt, ...Object.values(headers)].join(" and ")}`;
const encoded = encodeURIComponent([secret, ...Object.values(headers)].join(" and "));
const leaky = Object.assign(new TypeError(`fetch failed: ${echo}`), {
  code: "ECANARY",
  request: { headers: { authorization: bankToken } },
  cause: Object.assign(new Error(echo), { cause: echo, code: bankToken }),
});

describe.each(["client", "call"])("no error shows a secret, a token or a secret header of the %s:", (owner) => {
  const cases = readCases<Case>("secrets").filter(([, { customerTokens }]) => owner === "client" || customerTokens);

  test.each(cases)("%s", async (_, written) => {
    const { shows = "", ...responses } = fill(written, { $echo: echo, $encoded: encoded, $jwt: jwt });
    const clock = new FakeClock();
    const { script } = scriptedResponses(clock, {
      leaky: () => Promise.reject(leaky),
      "leaky and cut off": () => cutOff(201, leaky, { "x-echo": encoded }),
    });
    const auth = clientCredentials({ clientId: "bank", clientSecret: secret });
    const isOfClient = owner === "client";
    const { client, create, post } = setUp(script({ tokens: [[bankToken, 3600]], ...responses }), {
      auth,
      clock,
      maxRetries: 1,
      ...(isOfClient && { headers }),
    });
    const options = isOfClient ? {} : { headers };
    const error = await failureOf(clock.run(create(options)));
    expect(error).toBeInstanceOf(CustomerTokensError);
    expect(shown(error)).toContain(shows);
    expect(shown(error)).not.toContain("set-cookie");
    const ofApi = await clock.run(post(options).catch((reason: unknown) => ({ error: reason, response: undefined })));
    const received = ofApi.response && !ofApi.response.ok ? [...ofApi.response.headers] : [];
    const all = [error, client, ofApi.error, received].map(shown).join("\n");
    // A bank token is known once it has been given.
    const given = responses.customerTokens ? [bankToken] : [];
    const parts = /canary-(?:key|token-1|session|theme|basic|of-the-response)|canary(?:\/|%2F)secret/;
    expect(all).not.toMatch(parts);
    for (const canary of [...spellings, ...given, jwt, "session=canary"]) expect(all).not.toContain(canary);
  });
});
