// Generated from the spec by `npm run generate`. Do not edit.

/** The spec as data, for the emulator. */
export const spec = {
  openapi: "3.0.3",
  info: {
    title: "Cybrid Identity API, customer tokens",
    description: "The operations behind a customer access token.",
    version: "1",
    license: { name: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0.html" },
  },
  servers: [
    {
      url: "https://id.sandbox.cybrid.app",
      description: "Sandbox, where money movement is simulated",
      "x-environment": "sandbox",
    },
    {
      url: "https://id.production.cybrid.app",
      description: "Production, where money movement is real",
      "x-environment": "production",
    },
  ],
  tags: [
    { name: "Customer Tokens", description: "Short-lived access tokens for the customers of a bank" },
    { name: "OAuth", description: "Access tokens for the bank itself" },
  ],
  paths: {
    "/api/customer_tokens": {
      post: {
        tags: ["Customer Tokens"],
        operationId: "createCustomerToken",
        summary: "Create customer access token",
        description:
          "Creates a JWT access token for one customer of the bank, limited to the requested scopes.\n\nRequired scopes: **customers:write** and **customers:read**",
        requestBody: {
          required: true,
          content: { "application/json": { schema: { $ref: "#/components/schemas/PostCustomerToken" } } },
        },
        responses: {
          "201": {
            description: "Customer token created",
            content: { "application/json": { schema: { $ref: "#/components/schemas/CustomerToken" } } },
          },
          "401": {
            description: "The bank token is missing, malformed, expired or not a bank's",
            content: {
              "application/json": {
                schema: { $ref: "#/components/schemas/ErrorResponse" },
                examples: {
                  invalid_subject: {
                    value: {
                      status: 401,
                      error_message: "Invalid Subject type. Required: bank",
                      message_code: "invalid_subject",
                    },
                  },
                  invalid_signature: {
                    value: {
                      status: 401,
                      error_message: "Signature verification raised",
                      message_code: "authentication_failed",
                    },
                  },
                  invalid_audience: {
                    value: { status: 401, error_message: "Invalid audience", message_code: "authentication_failed" },
                  },
                  invalid_issuer: {
                    value: { status: 401, error_message: "Invalid issuer", message_code: "authentication_failed" },
                  },
                  expired_signature: {
                    value: {
                      status: 401,
                      error_message: "Signature has expired",
                      message_code: "authentication_failed",
                    },
                  },
                  unauthorized: { value: { status: 401, error_message: "Unauthorized", message_code: "unauthorized" } },
                },
              },
            },
            "x-message-codes": ["invalid_subject", "authentication_failed", "authentication_malformed", "unauthorized"],
          },
          "403": {
            description: "The bank token lacks a required scope",
            content: {
              "application/json": {
                schema: { $ref: "#/components/schemas/ErrorResponse" },
                examples: {
                  invalid_scopes: {
                    value: {
                      status: 403,
                      error_message: "Invalid scopes. Required: customers:write",
                      message_code: "invalid_scopes",
                    },
                  },
                  forbidden: { value: { status: 403, error_message: "Forbidden", message_code: "forbidden" } },
                },
              },
            },
            "x-message-codes": ["invalid_scopes", "forbidden"],
          },
          "422": {
            description: "The customer is not known",
            content: {
              "application/json": {
                schema: { $ref: "#/components/schemas/ErrorResponse" },
                examples: {
                  no_customer: {
                    value: { status: 422, error_message: "Unknown customer", message_code: "no_customer" },
                  },
                },
              },
            },
            "x-message-codes": ["no_customer"],
          },
        },
        security: [{ BearerAuth: [], oauth2: ["customers:write", "customers:read"] }],
      },
    },
    "/oauth/token": {
      post: {
        tags: ["OAuth"],
        operationId: "createAccessToken",
        summary: "Create bank access token",
        description: "The client credentials grant of RFC 6749, section 4.4, with a JSON body.",
        requestBody: {
          required: true,
          content: { "application/json": { schema: { $ref: "#/components/schemas/AccessTokenRequest" } } },
        },
        responses: {
          "200": {
            description: "Bank access token created (RFC 6749, section 5.1)",
            content: { "application/json": { schema: { $ref: "#/components/schemas/AccessToken" } } },
          },
          "400": {
            description: "The request is refused (RFC 6749, section 5.2)",
            content: { "application/json": { schema: { $ref: "#/components/schemas/AccessTokenError" } } },
          },
          "401": {
            description: "The client is not known or its secret is wrong (RFC 6749, section 5.2)",
            content: { "application/json": { schema: { $ref: "#/components/schemas/AccessTokenError" } } },
          },
        },
        security: [],
      },
    },
  },
  components: {
    schemas: {
      CustomerToken: {
        type: "object",
        properties: { access_token: { type: "string", description: "The customer's JWT access token." } },
      },
      PostCustomerToken: {
        type: "object",
        required: ["customer_guid", "scopes"],
        properties: {
          customer_guid: {
            type: "string",
            description: "The customer the token is for.",
            minLength: 32,
            maxLength: 32,
          },
          scopes: {
            type: "array",
            description: "What the token may be used for. Ask for the fewest scopes that will do.",
            minItems: 1,
            uniqueItems: true,
            items: {
              type: "string",
              enum: [
                "counterparties:read",
                "counterparties:pii:read",
                "counterparties:write",
                "counterparties:execute",
                "customers:read",
                "customers:pii:read",
                "customers:write",
                "accounts:read",
                "accounts:write",
                "accounts:execute",
                "prices:read",
                "quotes:read",
                "quotes:execute",
                "trades:read",
                "trades:execute",
                "transactions:read",
                "transfers:read",
                "transfers:write",
                "transfers:execute",
                "external_bank_accounts:read",
                "external_bank_accounts:pii:read",
                "external_bank_accounts:write",
                "external_bank_accounts:execute",
                "external_wallets:read",
                "external_wallets:write",
                "external_wallets:execute",
                "workflows:read",
                "workflows:execute",
                "deposit_addresses:read",
                "deposit_addresses:write",
                "deposit_addresses:execute",
                "deposit_bank_accounts:read",
                "deposit_bank_accounts:write",
                "deposit_bank_accounts:execute",
                "invoices:read",
                "invoices:write",
                "invoices:execute",
                "identity_verifications:read",
                "identity_verifications:pii:read",
                "identity_verifications:write",
                "identity_verifications:execute",
                "persona_sessions:execute",
                "sardine_sessions:execute",
                "plans:execute",
                "plans:read",
                "executions:execute",
                "executions:read",
              ],
            },
          },
        },
      },
      ErrorResponse: {
        type: "object",
        required: ["error_message", "message_code", "status"],
        properties: {
          status: { type: "integer", description: "The HTTP status, repeated." },
          error_message: { type: "string", description: "What went wrong, for people." },
          message_code: { type: "string", description: "What went wrong, for programs." },
        },
      },
      MessageCode: {
        type: "string",
        description: "The message codes that the customer-tokens endpoint is known to respond with.",
        enum: [
          "invalid_subject",
          "authentication_failed",
          "authentication_malformed",
          "unauthorized",
          "invalid_scopes",
          "forbidden",
          "no_customer",
        ],
      },
      AccessTokenRequest: {
        type: "object",
        description: "A client credentials access token request (RFC 6749, section 4.4.2).",
        required: ["grant_type", "client_id", "client_secret"],
        properties: {
          grant_type: { type: "string", enum: ["client_credentials"] },
          client_id: { type: "string", minLength: 1 },
          client_secret: { type: "string", format: "password", minLength: 1 },
          scope: {
            type: "string",
            description: "Scopes, separated by spaces (RFC 6749, section 3.3).",
            example: "customers:read customers:write",
          },
        },
      },
      AccessToken: {
        type: "object",
        description: "A successful access token response (RFC 6749, section 5.1).",
        required: ["access_token", "token_type"],
        properties: {
          access_token: { type: "string", description: "The bank's JWT access token.", minLength: 1 },
          token_type: { type: "string", description: "Bearer, in any case." },
          expires_in: {
            type: "integer",
            description: "The lifetime of the token in seconds, if the server states it.",
          },
          scope: { type: "string", description: "Scopes that were granted, separated by spaces." },
        },
      },
      AccessTokenError: {
        type: "object",
        description: "An error response (RFC 6749, section 5.2).",
        required: ["error"],
        properties: {
          error: { type: "string", description: "The error code, such as invalid_client." },
          error_description: { type: "string", description: "What went wrong, for developers." },
          error_uri: { type: "string", description: "A page about the error." },
        },
      },
    },
    securitySchemes: {
      oauth2: {
        type: "oauth2",
        flows: {
          clientCredentials: {
            tokenUrl: "https://id.production.cybrid.app/oauth/token",
            scopes: { "customers:read": "customers read", "customers:write": "customers write" },
          },
        },
      },
      BearerAuth: { type: "http", scheme: "bearer", bearerFormat: "JWT" },
    },
  },
} as const;
