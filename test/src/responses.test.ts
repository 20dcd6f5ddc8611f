import { describe, expect, test } from "vitest";
import { ApiError, InvalidResponseError, TokenRequestError } from "../../src/index.js";
import { readCases } from "../support/cases.js";
import { setUpOnce } from "../support/client.js";
import { failureOf } from "../support/service.js";

interface Case {
  status: number;
  headers?: Record<string, string>;
  text?: string;
  json?: unknown;
  error: { name: keyof typeof kinds };
}

const kinds = { ApiError, TokenRequestError, InvalidResponseError };
const codes = {
  ApiError: "ERR_API",
  TokenRequestError: "ERR_TOKEN_REQUEST",
  InvalidResponseError: "ERR_INVALID_RESPONSE",
};
/** Fields that are undefined unless the service sends them. */
const unsaid = {
  ApiError: { messageCode: undefined, errorMessage: undefined, retryAfterSeconds: undefined },
  TokenRequestError: { error: undefined, errorDescription: undefined },
  InvalidResponseError: {},
};

describe.each(readCases<Record<string, Case>>("responses"))(
  "a response of %s is a documented error:",
  (endpoint, cases) => {
    test.each(Object.entries(cases))("%s", async (_, { status, headers, text, error: expected, ...body }) => {
      const sent = "json" in body ? JSON.stringify(body.json) : (text ?? null);
      const broken = { "content-encoding": "gzip", "content-length": "9", "transfer-encoding": "chunked" };
      const all = { "content-type": "application/json", "x-gateway": "g", ...broken, ...headers };
      const { create, fetch } = setUpOnce({ [endpoint]: [new Response(sent, { status, headers: all })] });
      const error = (await failureOf(create())) as ApiError;
      const { name } = expected;
      expect(error).toBeInstanceOf(kinds[name]);
      const answered =
        name !== "InvalidResponseError"
          ? { status, attempts: 1 }
          : status < 300 && { contentLength: sent?.length ?? 0 };
      expect(error).toMatchObject({ code: codes[name], ...unsaid[name], ...answered, ...expected });
      expect(error.headers.get("x-gateway")).toBe("g");
      // Koa and h3 send them with another body: what `for … in` finds, or all.
      for (const header in error.headers) expect(header).toBe("none");
      expect([...error.headers.keys()].filter((header) => header in broken)).toEqual([]);
      if (name === "InvalidResponseError" && sent && sent !== "{}") expect(JSON.stringify(error)).not.toContain(sent);
      // Nothing else is sent, to no other host either.
      expect(fetch).toHaveBeenCalledTimes(endpoint === "tokens" ? 1 : 2);
    });
  },
);
