import fc from "fast-check";
import type { Json } from "../../scripts/spec/json.js";

type Fields = Record<string, fc.Arbitrary<unknown>>;

interface Options {
  openapi: string;
  /** The names of the schemas that they refer to. The first two do not contradict each other. */
  refs: readonly string[];
  text: fc.Arbitrary<string>;
  /** The names of properties. */
  names: fc.Arbitrary<string>;
  /** Fields that any of them may have. */
  more?: Fields;
}

/** Random schemas of an OpenAPI version. */
export function randomSchemas({ openapi, refs, text, names, more }: Options): fc.Arbitrary<Json> {
  const isNew = openapi.startsWith("3.1");
  const only = <T>(...values: T[]) => fc.constantFrom(...values);
  const several = <T>(value: fc.Arbitrary<T>) => fc.array(value, { minLength: 1, maxLength: 3 });
  const common: Fields = {
    description: fc.oneof(fc.lorem(), text),
    title: text,
    deprecated: fc.boolean(),
    ...(!isNew && { nullable: fc.boolean() }),
    ...more,
  };
  const record = (required: Fields, optional: Fields = {}): fc.Arbitrary<Json> =>
    fc.record({ ...common, ...optional, ...required }, { requiredKeys: Object.keys(required) });
  const ref = (to: string): Json => ({ $ref: `#/components/schemas/${to}` });
  return fc.letrec<{ schema: Json }>((tie) => {
    const schema = tie("schema");
    const values = {
      enum: fc.uniqueArray(text, { minLength: 1, maxLength: 5 }),
      format: only("date", "date-time", "uuid", "binary", "byte", "email", "own-format"),
      pattern: text,
      default: text,
    };
    const object = record(
      { type: only("object"), properties: fc.dictionary(names, schema, { maxKeys: 5 }) },
      { additionalProperties: fc.oneof(fc.boolean(), schema), minProperties: fc.nat(2), readOnly: only(true) },
    );
    const ofNewVersions = [
      record({ const: fc.oneof(text, fc.integer(), only(null)) }),
      record({ type: fc.subarray(["string", "null", "integer", "object"], { minLength: 1 }) }),
      record({ type: only("array"), prefixItems: several(schema) }),
      record({ type: only("object"), patternProperties: fc.dictionary(text, schema, { maxKeys: 2 }) }),
    ];
    return {
      schema: fc.oneof(
        { depthSize: "small", withCrossShrink: true },
        record({ type: only("string") }, values),
        record(
          { type: only("integer") },
          { enum: several(fc.integer()), minimum: fc.integer(), format: only("int64") },
        ),
        record({ type: only("number") }, { enum: several(fc.double({ noNaN: true, noDefaultInfinity: true })) }),
        record({ type: only("boolean") }, { default: fc.boolean(), writeOnly: only(true) }),
        only(...refs).map(ref),
        record({ type: only("array"), items: schema }, { uniqueItems: fc.boolean(), minItems: fc.nat(3) }),
        object.chain((all) =>
          fc.subarray(Object.keys(all["properties"] as Json)).map((required) => ({ ...all, required })),
        ),
        // Parts that contradict each other are refused.
        record({ allOf: fc.tuple(schema) }),
        record({ allOf: only(refs.slice(0, 2).map(ref)) }),
        record({ oneOf: several(schema) }),
        record({ anyOf: several(schema) }),
        record({ not: schema }),
        record({}, { example: fc.jsonValue({ maxDepth: 2 }) }),
        ...(isNew ? ofNewVersions : []),
      ),
    };
  }).schema;
}
