import { expectTypeOf, test } from "vitest";
import type { environments } from "../../generated/environments.js";
import type * as models from "../../generated/models/index.js";
import type { components } from "../../generated/paths.js";
import type { spec } from "../../generated/emulator/spec.js";

type Schemas = components["schemas"];
type Described = (typeof spec)["components"]["schemas"];

test("each model is openapi-typescript's type of its schema", () => {
  interface Models {
    AccessToken: models.AccessTokenIdpModel;
    AccessTokenError: models.AccessTokenErrorIdpModel;
    AccessTokenRequest: models.AccessTokenRequestIdpModel;
    CustomerToken: models.CustomerTokenIdpModel;
    ErrorResponse: models.ErrorResponseIdpModel;
    MessageCode: models.MessageCodeIdpModel;
    PostCustomerToken: models.PostCustomerTokenIdpModel;
  }
  // `generate` proves the same of every schema, also of those that a new operation brings.
  expectTypeOf<Models>().branded.toEqualTypeOf<Pick<Schemas, keyof Models>>();
});

test("the constants of an enum are exactly the values that the spec lists", () => {
  type Scope = Described["PostCustomerToken"]["properties"]["scopes"]["items"]["enum"][number];
  expectTypeOf<models.PostCustomerTokenIdpModelScopesEnum>().toEqualTypeOf<Scope>();
  expectTypeOf<models.MessageCodeIdpModel>().toEqualTypeOf<Described["MessageCode"]["enum"][number]>();
});

test("the constraints and environments are the spec's", () => {
  type Guid = Described["PostCustomerToken"]["properties"]["customer_guid"];
  type Constraints = typeof models.PostCustomerTokenIdpModelConstraints;
  expectTypeOf<Constraints["customer_guid"]["maxLength"]>().toEqualTypeOf<Guid["maxLength"]>();
  expectTypeOf<(typeof environments)["sandbox"]>().toExtend<(typeof spec)["servers"][number]["url"]>();
});
