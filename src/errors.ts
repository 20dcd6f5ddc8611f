import type { MessageCodeIdpModel } from "../generated/models/index.js";

/** A `message_code` of the service: editors complete those that the description lists, and others are accepted. */
export type MessageCode = MessageCodeIdpModel | (string & {});

/** The base of every kind of error. */
abstract class KindOfError<Name extends string> extends Error {
  /** The name of the kind, the same in every copy of the package. As a literal, it survives minification. */
  static readonly cybridKind: string = "CustomerTokensError";
  /** Tells the kinds of error apart, in `switch` and in logs; it stays the same from version to version. */
  abstract readonly code: string;

  constructor(message: string, fields: object, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    Object.assign(this, fields);
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    if (super[Symbol.hasInstance](value)) return true;
    const found = kindOf(value);
    if (this === KindOfError) return found !== undefined;
    // A caller's own subclass only inherits a kind.
    return Object.hasOwn(this, "cybridKind") && found === this.cybridKind;
  }

  // On the prototype, since the first line of the stack is written before a constructor can set anything.
  /** The kind of error, unless somebody renames it. */
  override get name(): Name {
    return kindOf(this) as Name;
  }

  override set name(name: string) {
    Object.defineProperty(this, "name", { value: name, configurable: true, writable: true });
  }

  /** The properties for `JSON.stringify`. Without it, neither the name nor the message would be there. */
  toJSON(): object {
    const { headers } = this as { headers?: Headers };
    const shown = Object.assign({ name: this.name, message: this.message }, this);
    // JSON has no form for headers.
    return headers ? { ...shown, headers: Object.fromEntries(headers) } : shown;
  }
}

/** The parts of a response that are kept. */
export type ResponseDetails = Pick<ApiError, "status" | "headers" | "attempts" | "retryAfterSeconds">;

/** The service responded with 4xx or 5xx. */
export class ApiError extends KindOfError<"ApiError"> {
  static override readonly cybridKind = "ApiError";
  readonly code = "ERR_API";
  /** HTTP status. */
  declare readonly status: number;
  /** The `message_code` in the response, for programs; `undefined` if the response is not the service's own. */
  declare readonly messageCode: MessageCode | undefined;
  /** The `error_message` in the response, for people. */
  declare readonly errorMessage: string | undefined;
  /** The parsed JSON, or else the text (`""` for none), with every known secret redacted. */
  declare readonly body: unknown;
  /** Response headers without cookies and the connection's own, with every known secret redacted. */
  declare readonly headers: Headers;
  /** Seconds after which the service allows another try (RFC 9110, section 10.2.3), if it says so. */
  declare readonly retryAfterSeconds: number | undefined;
  /** How often the request was sent. */
  declare readonly attempts: number;

  constructor(body: unknown, details: ResponseDetails) {
    const messageCode = stringIn(body, "message_code");
    const errorMessage = stringIn(body, "error_message");
    const said = describe([messageCode, errorMessage], details.headers);
    super(`the service responded with ${details.status} (${said})`, { ...details, messageCode, errorMessage, body });
  }
}

/** The parts of a token request that may be shown. */
export type TokenRequestDetails = Pick<TokenRequestError, "status" | "headers" | "attempts" | "retryAfterSeconds">;

/**
 * There is no bank token: `POST /oauth/token` refused it, or the last token request failed and the next one is not allowed
 * yet, so that calls cannot use up the quota. In the second case, `cause` is the last failure. Of a response's text, only the
 * two fields for errors are kept.
 */
export class TokenRequestError extends KindOfError<"TokenRequestError"> {
  static override readonly cybridKind = "TokenRequestError";
  readonly code = "ERR_TOKEN_REQUEST";
  /** HTTP status of the refusal; `undefined` if there was no response to the last request. */
  declare readonly status: number | undefined;
  /** The error code of RFC 6749, section 5.2, such as `invalid_client`; `undefined` if the response had none. */
  declare readonly error: string | undefined;
  /** The `error_description` in the response, with every known secret redacted. */
  declare readonly errorDescription: string | undefined;
  /** Response headers, as in `ApiError`; `undefined` without a response. */
  declare readonly headers: Headers | undefined;
  /** Seconds until the next token request may be sent. Until then, calls that need a new token wait for it or fail at once. */
  declare readonly retryAfterSeconds: number;
  /** How often the request was sent: 0 if token requests are paused. */
  declare readonly attempts: number;

  /** @param cause The last failure, if token requests are paused */
  constructor(body: unknown, details: TokenRequestDetails, cause?: unknown) {
    const error = stringIn(body, "error");
    const errorDescription = stringIn(body, "error_description");
    const { status, headers, attempts, retryAfterSeconds } = details;
    const lastFailure = cause instanceof Error ? ` after: ${cause.message}` : "";
    const message =
      attempts > 0
        ? `the token request was refused with ${status} (${describe([error, errorDescription], headers)})`
        : `token requests are paused for ${retryAfterSeconds} s${lastFailure}`;
    super(message, { ...details, error, errorDescription }, cause);
  }
}

/** There was no response, or an incomplete one: a failed DNS lookup, a refused or reset connection. `cause` says which. */
export class ConnectionError extends KindOfError<"ConnectionError"> {
  static override readonly cybridKind = "ConnectionError";
  readonly code = "ERR_CONNECTION";
  /** How often the request was sent. */
  declare readonly attempts: number;

  constructor(message: string, { attempts, cause }: { attempts: number; cause?: unknown }) {
    super(message, { attempts }, cause);
  }
}

/** The call was not done within `timeoutMs`. `cause` is the failure that was being retried, if there was one. */
export class TimeoutError extends KindOfError<"TimeoutError"> {
  static override readonly cybridKind = "TimeoutError";
  readonly code = "ERR_TIMEOUT";
  /** The time that the call had, in milliseconds. */
  declare readonly timeoutMs: number;
  /** How often the request was sent. */
  declare readonly attempts: number;

  constructor(timeoutMs: number, { attempts, cause }: { attempts: number; cause?: unknown }) {
    super(`no complete response within ${timeoutMs} ms`, { timeoutMs, attempts }, cause);
  }
}

/**
 * A response that does not match the description: a redirect, HTML, nothing, cut JSON, no `access_token`. Its text is
 * not kept, since it may hold a token; `contentType` and `contentLength` describe it.
 */
export class InvalidResponseError extends KindOfError<"InvalidResponseError"> {
  static override readonly cybridKind = "InvalidResponseError";
  readonly code = "ERR_INVALID_RESPONSE";
  /** HTTP status. It is not called `status`: Koa, h3 and Elysia respond with the `status` of an error, which may be 200 here. */
  declare readonly responseStatus: number;
  /** Response headers without cookies and the connection's own, with every known secret redacted. */
  declare readonly headers: Headers;
  /** The response's media type, as sent. */
  declare readonly contentType: string | undefined;
  /** Length of the response's text, in UTF-16 code units; `undefined` if it was not read. */
  declare readonly contentLength: number | undefined;

  constructor(problem: string, details: { status: number; headers: Headers; contentLength?: number | undefined }) {
    const { status: responseStatus, headers, contentLength } = details;
    const contentType = headers.get("content-type") ?? undefined;
    const length = contentLength === undefined ? "" : `, ${contentLength} characters`;
    const fields = { responseStatus, headers, contentType, contentLength };
    super(`${problem} (${responseStatus}, ${describe([], headers)}${length})`, fields);
  }
}

/** Bad input, found before anything is sent. */
export class InvalidArgumentError extends KindOfError<"InvalidArgumentError"> {
  static override readonly cybridKind = "InvalidArgumentError";
  readonly code = "ERR_INVALID_ARGUMENT";
  /** The option or property that is wrong, as the caller wrote it: `customer_guid`, `baseUrl`. */
  declare readonly field: string;
  /** The right value, in words. */
  declare readonly expected: string;

  /** @param got The mistake, in words: never the value itself, which may be a secret. */
  constructor(field: string, expected: string, got?: string) {
    super(`${field}: expected ${expected}${got === undefined ? "" : `, got ${got}`}`, { field, expected });
  }
}

/**
 * An error of this package: its `code` and `name` tell which kind it is. No error contains a secret or a token: not in its
 * message, its fields, its stack or its chain of causes. `instanceof` also recognizes the errors of another copy of the package.
 */
export type CustomerTokensError =
  ApiError | TokenRequestError | ConnectionError | TimeoutError | InvalidResponseError | InvalidArgumentError;

type Constructor = abstract new (...args: ConstructorParameters<typeof KindOfError>) => KindOfError<string>;
/** The type of `CustomerTokensError` as a value: `instanceof` narrows to the kinds, which `code` and `name` tell apart. */
export interface CustomerTokensErrorConstructor extends Constructor {
  [Symbol.hasInstance](value: unknown): value is CustomerTokensError;
}
export const CustomerTokensError = KindOfError as unknown as CustomerTokensErrorConstructor;

/** The `code` of each kind of error. */
export type ErrorCode = CustomerTokensError["code"];

function kindOf(error: unknown): string | undefined {
  const { constructor } = Object(error) as { constructor?: unknown };
  // JSON may have a property of that name.
  return typeof constructor === "function" ? (constructor as typeof KindOfError).cybridKind : undefined;
}

function stringIn(body: unknown, property: string): string | undefined {
  const value = (body as Record<string, unknown> | null | undefined)?.[property];
  return typeof value === "string" ? value : undefined;
}

/** The error that a response states, or else its media type. */
function describe(said: (string | undefined)[], headers: Headers | undefined): string {
  return said.filter(Boolean).join(": ") || headers?.get("content-type") || "no content type";
}
