// Generated from the spec by `npm run generate`. Do not edit.

export * from "./AccessTokenErrorIdpModel.js";
export * from "./AccessTokenIdpModel.js";
export * from "./AccessTokenRequestIdpModel.js";
export * from "./CustomerTokenIdpModel.js";
export * from "./ErrorResponseIdpModel.js";
export * from "./MessageCodeIdpModel.js";
export * from "./PostCustomerTokenIdpModel.js";
