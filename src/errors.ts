import type { MessageCodeIdpModel } from "../generated/models/index.js";

/** A `message_code` of the service: the ones the description lists autocomplete, others are accepted. */
export type MessageCode = MessageCodeIdpModel | (string & {});

/** The `code` of each kind of error. */
export type ErrorCode =
  "ERR_API" | "ERR_TOKEN_REQUEST" | "ERR_CONNECTION" | "ERR_TIMEOUT" | "ERR_INVALID_RESPONSE" | "ERR_INVALID_ARGUMENT";

// Holds the kind of an error, the same in every copy of the package. It is no symbol, since bundlers keep unused classes that
// have computed names.
const kind = "cybrid-customer-tokens.kind";

/**
 * The base of every error of this package. No error holds a secret or a token: not in its message, its fields, its
 * stack or its chain of causes. `instanceof` also recognises the errors of another copy of the package.
 */
export abstract class CustomerTokensError extends Error {
  /** Tells the kinds of error apart, in `switch` and in logs; it stays the same from version to version. */
  abstract readonly code: ErrorCode;

  // On the prototypes, as literals: they survive minification, and already stand in the stack's first line.
  abstract get "cybrid-customer-tokens.kind"(): string;

  static override [Symbol.hasInstance](value: unknown): boolean {
    if (Function.prototype[Symbol.hasInstance].call(this, value)) return true;
    const found = (value as { [kind]?: unknown } | null | undefined)?.[kind];
    if (this === CustomerTokensError) return found !== undefined;
    // A caller's own subclass has no kind of its own to go by.
    const { prototype } = this as { prototype: CustomerTokensError };
    return Object.hasOwn(prototype, kind) && found === prototype[kind];
  }

  /** The kind of error, unless somebody renames it. */
  override get name(): this[typeof kind] {
    return this[kind];
  }

  override set name(name: string) {
    Object.defineProperty(this, "name", { value: name, configurable: true, writable: true });
  }

  /** What `JSON.stringify` shows; an `Error` by itself would show neither name nor message. */
  toJSON(): object {
    const { headers } = this as { headers?: Headers };
    const shown = Object.assign({ name: this.name, message: this.message }, this);
    // Headers by themselves would show nothing.
    return headers ? { ...shown, headers: Object.fromEntries(headers) } : shown;
  }
}

/** What is kept of the service's answer. */
export interface AnswerDetails {
  /** HTTP status. */
  status: number;
  /** Response headers without cookies, with every known secret struck out. */
  headers: Headers;
  /** How often the request was sent. */
  attempts: number;
  /** Seconds after which another try makes sense. */
  retryAfterSeconds: number | undefined;
}

/** The service answered 4xx or 5xx. */
export class ApiError extends CustomerTokensError {
  readonly code = "ERR_API";
  /** HTTP status. */
  declare readonly status: number;
  /** The answer's `message_code`, for programs; `undefined` where the answer is not the service's own. */
  declare readonly messageCode: MessageCode | undefined;
  /** The answer's `error_message`, for people. */
  declare readonly errorMessage: string | undefined;
  /** The parsed JSON, else the text (`""` for none), with every known secret struck out. */
  declare readonly body: unknown;
  /** Response headers without cookies, with every known secret struck out. */
  declare readonly headers: Headers;
  /** Seconds after which the service allows another try (RFC 9110, section 10.2.3), where it says so. */
  declare readonly retryAfterSeconds: number | undefined;
  /** How often the request was sent. */
  declare readonly attempts: number;

  constructor(body: unknown, answer: AnswerDetails) {
    const messageCode = stringIn(body, "message_code");
    const errorMessage = stringIn(body, "error_message");
    const said = [messageCode, errorMessage].filter(Boolean).join(": ") || describeContent(answer.headers);
    super(`the service answered ${answer.status} (${said})`);
    Object.assign(this, answer, { messageCode, errorMessage, body });
  }

  get "cybrid-customer-tokens.kind"() {
    return "ApiError" as const;
  }
}

/** What may be shown of a token request. */
export interface TokenRequestDetails extends Omit<AnswerDetails, "status" | "headers" | "retryAfterSeconds"> {
  /** HTTP status; `undefined` where there was no answer. */
  status: number | undefined;
  /** Response headers; `undefined` where there was no answer. */
  headers: Headers | undefined;
  /** Seconds after which a token is asked for again. */
  retryAfterSeconds: number;
  /** The last failure. Given where no request is sent for now. */
  cause?: unknown;
}

/**
 * There is no bank token: `POST /oauth/token` refused to give one, or it failed lately and is not asked again yet, so that
 * calls cannot burn the quota of token requests. The second kind has the last failure as its `cause`. Nothing of an
 * answer's text is kept but its two error fields.
 */
export class TokenRequestError extends CustomerTokensError {
  readonly code = "ERR_TOKEN_REQUEST";
  /** HTTP status of the refusal; `undefined` where the last failure was one without an answer. */
  declare readonly status: number | undefined;
  /** The error code of RFC 6749, section 5.2, such as `invalid_client`; `undefined` where the answer had none. */
  declare readonly error: string | undefined;
  /** The answer's `error_description`, with every known secret struck out. */
  declare readonly errorDescription: string | undefined;
  /** Response headers without cookies, with every known secret struck out; `undefined` without an answer. */
  declare readonly headers: Headers | undefined;
  /** Seconds until the next token request may be sent. Until then, calls that need a new token wait for it or fail at once. */
  declare readonly retryAfterSeconds: number;
  /** How often the request was sent: 0 where none is sent for now. */
  declare readonly attempts: number;

  constructor(body: unknown, details: TokenRequestDetails) {
    const error = stringIn(body, "error");
    const errorDescription = stringIn(body, "error_description");
    const { cause, ...answer } = details;
    const { status, headers, retryAfterSeconds } = answer;
    const said = [error, errorDescription].filter(Boolean).join(": ") || (headers && describeContent(headers));
    const lastFailure = cause instanceof Error ? ` after: ${cause.message}` : "";
    super(
      details.attempts > 0
        ? `the token request was refused with ${status} (${said})`
        : `token requests are paused for ${retryAfterSeconds} s${lastFailure}`,
      cause === undefined ? {} : { cause },
    );
    Object.assign(this, answer, { error, errorDescription });
  }

  get "cybrid-customer-tokens.kind"() {
    return "TokenRequestError" as const;
  }
}

/** There was no answer, or it broke off: a failed DNS lookup, a refused or reset connection. `cause` says which. */
export class ConnectionError extends CustomerTokensError {
  readonly code = "ERR_CONNECTION";
  /** How often the request was sent. */
  readonly attempts: number;

  constructor(message: string, details: { attempts: number; cause?: unknown }) {
    super(message, { cause: details.cause });
    this.attempts = details.attempts;
  }

  get "cybrid-customer-tokens.kind"() {
    return "ConnectionError" as const;
  }
}

/** The call was not done within `timeoutMs`. `cause` is the failure that was being retried, if there was one. */
export class TimeoutError extends CustomerTokensError {
  readonly code = "ERR_TIMEOUT";
  /** The time that the call had, in milliseconds. */
  readonly timeoutMs: number;
  /** How often the request was sent. */
  readonly attempts: number;

  constructor(timeoutMs: number, details: { attempts: number; cause?: unknown }) {
    super(`no complete answer within ${timeoutMs} ms`, details.cause === undefined ? {} : { cause: details.cause });
    this.timeoutMs = timeoutMs;
    this.attempts = details.attempts;
  }

  get "cybrid-customer-tokens.kind"() {
    return "TimeoutError" as const;
  }
}

/**
 * An answer that is not what the description says: a redirect, HTML, nothing, cut JSON, no `access_token`. Its text is
 * not kept, since it may hold a token; `contentType` and `contentLength` describe it.
 */
export class InvalidResponseError extends CustomerTokensError {
  readonly code = "ERR_INVALID_RESPONSE";
  /** HTTP status. It is not called `status`: Koa, h3 and Elysia answer with the `status` of an error, here a 200 perhaps. */
  declare readonly responseStatus: number;
  /** Response headers without cookies, with every known secret struck out. */
  declare readonly headers: Headers;
  /** The answer's media type, as sent. */
  declare readonly contentType: string | undefined;
  /** Length of the answer's text, in UTF-16 code units; `undefined` where it was not read. */
  declare readonly contentLength: number | undefined;

  constructor(problem: string, answer: { status: number; headers: Headers; contentLength?: number }) {
    const { status: responseStatus, headers, contentLength } = answer;
    super(`${problem} (${responseStatus}, ${describeContent(headers, contentLength)})`);
    const contentType = headers.get("content-type") ?? undefined;
    Object.assign(this, { responseStatus, headers, contentType, contentLength });
  }

  get "cybrid-customer-tokens.kind"() {
    return "InvalidResponseError" as const;
  }
}

/** Bad input, found before anything is sent. */
export class InvalidArgumentError extends CustomerTokensError {
  readonly code = "ERR_INVALID_ARGUMENT";
  /** The option or property that is wrong, as the caller wrote it: `customer_guid`, `baseUrl`. */
  readonly field: string;
  /** What it should have been. */
  readonly expected: string;

  /** @param got What was there instead, in words: never the value itself, which may be a secret. */
  constructor(field: string, expected: string, got?: string) {
    super(`${field}: expected ${expected}${got === undefined ? "" : `, got ${got}`}`);
    this.field = field;
    this.expected = expected;
  }

  get "cybrid-customer-tokens.kind"() {
    return "InvalidArgumentError" as const;
  }
}

function stringIn(body: unknown, property: string): string | undefined {
  const value = (body as Record<string, unknown> | null | undefined)?.[property];
  return typeof value === "string" ? value : undefined;
}

function describeContent(headers: Headers, length?: number): string {
  const type = headers.get("content-type") ?? "no content type";
  return length === undefined ? type : `${type}, ${length} characters`;
}
