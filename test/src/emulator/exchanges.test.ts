import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { spec } from "../../../generated/emulator/spec.js";
import type { EmulatorOptions, EmulatorRequest } from "../../../src/emulator/emulator.js";
import { isObject, type Json } from "../../../scripts/spec/json.js";
import { parseJson } from "../../../src/http/body.js";
import { fill, readCases } from "../../support/cases.js";
import { documented, scope, start, startShared } from "../../support/emulator.js";

/** One request and its response, or one call of a method of the emulator. */
interface Step {
  /** A token request: the changes of a right one, or its body as text. */
  token?: object | string;
  /** The same for a request of a customer token. */
  create?: object | string;
  /**
   * Its authorization: a bank token with other claims, null for those that are left out; "last", the last response's token;
   * "nobody"; "another emulator", by its key; or a header. Default: a right token.
   */
  as?: object | string;
  /** Any other request: method and path, body, and headers. */
  send?: string;
  data?: unknown;
  with?: unknown;
  /** The media type. Default: that of a form or of JSON, as the body looks. */
  type?: string;
  /** The client and its secret in an HTTP Basic header. */
  basic?: string;
  /** The status, or "status code: message"; "nothing" if the connection is cut. Default: success. */
  returns?: number | string;
  /** Headers of the response, null for those that are not there. */
  headers?: Record<string, string | null>;
  /** The body of the response: its text, or its JSON. */
  body?: unknown;
  /** Another way to control it: a method `with` an argument or a list of them, and the message that it `throws`. */
  call?: "advanceClock" | "play" | "reset" | "revokeTokens" | "rotateKey";
  throws?: string;
}

interface Case {
  options?: EmulatorOptions;
  /** One after the other; those in a list can be written once and played again. */
  steps: (Step | Step[])[];
  /** At the end: the counts that are not zero, and the log. */
  counts?: Record<string, number>;
  logged?: Partial<EmulatorRequest>[];
}

const foreign = startShared({ signingKey: undefined });

describe.each(["tokens", "http", "control"])("as in emulator/%s.yaml:", (file) => {
  test.each(readCases<Case>(`emulator/${file}`))("%s", async (_, { options, steps, counts, logged }) => {
    const seen: EmulatorRequest[] = [];
    const onRequest = (request: EmulatorRequest) => seen.push(request);
    const { emulator, credentials, order } = await start({ now: () => 1_700_000_000_000, onRequest, ...options });
    const none = Object.fromEntries(Object.keys(emulator.counts).map((path) => [path, 0]));
    /** A body with the counts that are zero: the description may have more operations. */
    const whole = (body: unknown) =>
      isObject(body) && isObject(body["counts"]) ? { ...body, counts: { ...none, ...body["counts"] } } : body;
    let last = "";

    async function authorizationOf({ as = {}, basic, create }: Step): Promise<string | undefined> {
      if (basic !== undefined) return `Basic ${Buffer.from(basic).toString("base64")}`;
      if (create === undefined || as === "nobody") return undefined;
      if (as === "last") return `Bearer ${last}`;
      const ours = { iss: emulator.url, aud: [emulator.url] };
      if (as === "another emulator") return `Bearer ${await foreign.emulator.signToken(ours)}`;
      if (typeof as === "string") return as;
      const claims = Object.entries(as).map(([name, value]: [string, unknown]) => [name, value ?? undefined]);
      return `Bearer ${await emulator.signToken(Object.fromEntries(claims))}`;
    }

    async function send(step: Step, method: string, path: string): Promise<Response> {
      const { token, create, data = token ?? create, type, with: more } = step;
      const right = step.send === undefined && (create === undefined ? credentials : order);
      const isText = data === undefined || typeof data === "string" || Array.isArray(data);
      const sent: unknown = isText ? data : { ...right, ...(data as object) };
      const body = typeof sent === "string" ? sent : JSON.stringify(sent);
      const usual = /^\w+=/.test(body ?? "") ? "application/x-www-form-urlencoded" : "application/json";
      const authorization = await authorizationOf(step);
      const headers = { "content-type": type ?? usual, ...(more as object), ...(authorization && { authorization }) };
      return fetch(`${emulator.url}${path}`, { method, headers, ...(body !== undefined && { body }) });
    }

    async function exchange(step: Step): Promise<void> {
      const operation = step.create === undefined ? "/oauth/token" : "/api/customer_tokens";
      const [method = "", path = ""] = (step.send ?? `POST ${operation}`).split(" ");
      const { returns = step.create === undefined ? 200 : 201, headers = {}, body } = step;
      const sent = send(step, method, path);
      if (returns === "nothing") return expect(sent).rejects.toThrow("fetch failed");
      const response = await sent;
      expect(response.status).toBe(Number.parseInt(String(returns)));
      const found = Object.keys(headers).map((name) => [name, response.headers.get(name)]);
      expect(Object.fromEntries(found)).toEqual(headers);
      const text = await response.clone().text();
      const isDocumented = step.send === undefined && typeof step.returns !== "number";
      const json: unknown = isDocumented ? await documented(operation, response) : (parseJson(text) ?? {});
      const { access_token = last, status = response.status, error, error_description, ...said } = json as Json;
      if (step.token !== undefined) last = String(access_token);
      const { message_code = error, error_message = error_description } = said;
      if (typeof returns === "string") {
        expect(`${String(status)} ${String(message_code)}: ${String(error_message)}`).toBe(returns);
      }
      if (body !== undefined) expect(typeof body === "string" ? text : JSON.parse(text)).toEqual(whole(body));
    }

    for (const raw of steps.flat()) {
      const paths = Object.keys(spec.paths).join(", ");
      const step = fill(raw, { $url: emulator.url, $paths: paths, $scope: scope });
      const { call, throws = "" } = step;
      try {
        if (call === undefined) await exchange(step);
        else {
          const work = async () => (emulator[call] as (...args: unknown[]) => unknown)(...[step.with].flat());
          await (throws === "" ? work() : expect(work()).rejects.toThrow(throws));
        }
      } catch (error) {
        throw new Error(`${JSON.stringify(step)}: ${(error as Error).message}`, { cause: error });
      }
    }
    if (counts) expect(emulator.counts).toEqual({ ...none, ...counts });
    if (logged) expect(emulator.requests).toMatchObject(logged);
    expect(JSON.stringify(seen)).not.toContain("canary");
    // The callback gets every request; the log keeps those since the last reset that do not control the emulator.
    const recorded = seen.filter((request) => !request.path.startsWith("/emulator/"));
    expect(recorded.slice(recorded.length - emulator.requests.length)).toEqual(emulator.requests);
  });
});

test("every example that the service has shown is one of these refusals, word for word", async () => {
  // The committed description may show others, such as those of codes that nobody has seen.
  const shown = await readFile("test/fixtures/customer-tokens.yaml", "utf8");
  const texts: string[] = [];
  parse(shown, (_, value: unknown) => {
    const { status, message_code, error_message } = Object(value) as Record<string, unknown>;
    if (typeof status === "number") texts.push(`${status} ${String(message_code)}: ${String(error_message)}`);
    return value;
  });
  expect(texts.length).toBeGreaterThan(5);
  const refusals = readCases<Case>("emulator/tokens").flatMap(([, { steps }]) =>
    steps.flat().map(({ returns }) => returns),
  );
  // Nothing is known to bring about a bare "Forbidden": a fault can play it.
  expect([...refusals, "403 forbidden: Forbidden"]).toEqual(expect.arrayContaining(texts));
});
