// Generated from the spec by `npm run generate`. Do not edit.

export interface paths {
  "/api/customer_tokens": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Create customer access token
     * @description Creates a JWT access token for one customer of the bank, limited to the requested scopes.
     *
     *     Required scopes: **customers:write** and **customers:read**
     */
    post: operations["createCustomerToken"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/oauth/token": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Create bank access token
     * @description The client credentials grant of RFC 6749, section 4.4, with a JSON body.
     */
    post: operations["createAccessToken"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
}
export type webhooks = Record<string, never>;
export interface components {
  schemas: {
    CustomerToken: {
      /** @description The customer's JWT access token. */
      access_token?: string;
    };
    PostCustomerToken: {
      /** @description The customer the token is for. */
      customer_guid: string;
      /** @description What the token may be used for. Ask for the fewest scopes that will do. */
      scopes: (
        | "counterparties:read"
        | "counterparties:pii:read"
        | "counterparties:write"
        | "counterparties:execute"
        | "customers:read"
        | "customers:pii:read"
        | "customers:write"
        | "accounts:read"
        | "accounts:write"
        | "accounts:execute"
        | "prices:read"
        | "quotes:read"
        | "quotes:execute"
        | "trades:read"
        | "trades:execute"
        | "transactions:read"
        | "transfers:read"
        | "transfers:write"
        | "transfers:execute"
        | "external_bank_accounts:read"
        | "external_bank_accounts:pii:read"
        | "external_bank_accounts:write"
        | "external_bank_accounts:execute"
        | "external_wallets:read"
        | "external_wallets:write"
        | "external_wallets:execute"
        | "workflows:read"
        | "workflows:execute"
        | "deposit_addresses:read"
        | "deposit_addresses:write"
        | "deposit_addresses:execute"
        | "deposit_bank_accounts:read"
        | "deposit_bank_accounts:write"
        | "deposit_bank_accounts:execute"
        | "invoices:read"
        | "invoices:write"
        | "invoices:execute"
        | "identity_verifications:read"
        | "identity_verifications:pii:read"
        | "identity_verifications:write"
        | "identity_verifications:execute"
        | "persona_sessions:execute"
        | "sardine_sessions:execute"
        | "plans:execute"
        | "plans:read"
        | "executions:execute"
        | "executions:read"
      )[];
    };
    ErrorResponse: {
      /** @description The HTTP status, repeated. */
      status: number;
      /** @description What went wrong, for people. */
      error_message: string;
      /** @description What went wrong, for programs. */
      message_code: string;
    };
    /**
     * @description The message codes that the customer-tokens endpoint is known to respond with.
     * @enum {string}
     */
    MessageCode:
      | "invalid_subject"
      | "authentication_failed"
      | "authentication_malformed"
      | "unauthorized"
      | "invalid_scopes"
      | "forbidden"
      | "no_customer";
    /** @description A client credentials access token request (RFC 6749, section 4.4.2). */
    AccessTokenRequest: {
      /** @enum {string} */
      grant_type: "client_credentials";
      client_id: string;
      /** Format: password */
      client_secret: string;
      /**
       * @description Scopes, separated by spaces (RFC 6749, section 3.3).
       * @example customers:read customers:write
       */
      scope?: string;
    };
    /** @description A successful access token response (RFC 6749, section 5.1). */
    AccessToken: {
      /** @description The bank's JWT access token. */
      access_token: string;
      /** @description Bearer, in any case. */
      token_type: string;
      /** @description The lifetime of the token in seconds, if the server states it. */
      expires_in?: number;
      /** @description Scopes that were granted, separated by spaces. */
      scope?: string;
    };
    /** @description An error response (RFC 6749, section 5.2). */
    AccessTokenError: {
      /** @description The error code, such as invalid_client. */
      error: string;
      /** @description What went wrong, for developers. */
      error_description?: string;
      /** @description A page about the error. */
      error_uri?: string;
    };
  };
  responses: never;
  parameters: never;
  requestBodies: never;
  headers: never;
  pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
  createCustomerToken: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        "application/json": components["schemas"]["PostCustomerToken"];
      };
    };
    responses: {
      /** @description Customer token created */
      201: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["CustomerToken"];
        };
      };
      /** @description The bank token is missing, malformed, expired or not a bank's */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["ErrorResponse"];
        };
      };
      /** @description The bank token lacks a required scope */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["ErrorResponse"];
        };
      };
      /** @description The customer is not known */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["ErrorResponse"];
        };
      };
    };
  };
  createAccessToken: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        "application/json": components["schemas"]["AccessTokenRequest"];
      };
    };
    responses: {
      /** @description Bank access token created (RFC 6749, section 5.1) */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["AccessToken"];
        };
      };
      /** @description The request is refused (RFC 6749, section 5.2) */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["AccessTokenError"];
        };
      };
      /** @description The client is not known or its secret is wrong (RFC 6749, section 5.2) */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["AccessTokenError"];
        };
      };
    };
  };
}
