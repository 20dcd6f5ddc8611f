import ts from "typescript";
import { UserError } from "../cli.js";

export interface Property {
  type: ts.Type;
  optional: boolean;
}

/** Properties by name. */
export type Properties = Map<string, Property>;

/** The members of unions, apart by what they are. `undefined` is left out: that is what "optional" says. */
export interface Kinds {
  /** Literals and primitives, by a text that tells `"1"` from `1`. */
  scalars: Map<string, ts.Type>;
  arrays: ts.Type[];
  /** Objects, and tuples, whose items are properties with a number for a name. */
  objects: ts.Type[];
}

/** What the checker knows of types, as the comparison needs it. */
export class Types {
  readonly #checker: ts.TypeChecker;

  constructor(checker: ts.TypeChecker) {
    this.#checker = checker;
  }

  /** Whether each of some types is assignable to one of others. */
  fits(from: ts.Type[], to: ts.Type[]): boolean {
    return from.every((one) => to.some((other) => this.#checker.isTypeAssignableTo(one, other)));
  }

  isTuple(type: ts.Type): boolean {
    return this.#checker.isTupleType(type);
  }

  items(type: ts.Type): readonly ts.Type[] {
    return this.#checker.getTypeArguments(type as ts.TypeReference);
  }

  /** Whether no value is of the type but `null` and `undefined`. */
  isEmpty(type: ts.Type): boolean {
    return (this.#checker.getNonNullableType(type).flags & ts.TypeFlags.Never) !== 0;
  }

  properties(type: ts.Type | undefined): Properties {
    const properties: Properties = new Map();
    if (type === undefined) return properties;
    if (this.isTuple(type))
      return new Map(this.items(type).map((item, index) => [String(index), { type: item, optional: false }]));
    for (const symbol of this.#checker.getPropertiesOfType(this.#checker.getNonNullableType(type))) {
      const property = this.#checker.getTypeOfSymbol(symbol);
      // `name?: never` is how openapi-typescript writes "none".
      if ((property.flags & (ts.TypeFlags.Never | ts.TypeFlags.Undefined)) !== 0) continue;
      properties.set(symbol.name, { type: property, optional: (symbol.flags & ts.SymbolFlags.Optional) !== 0 });
    }
    return properties;
  }

  /** What properties without a name of their own are; `Record<string, never>` is how "no properties" is written. */
  index(type: ts.Type): ts.Type | undefined {
    if (this.isTuple(type)) return undefined;
    const infos = this.#checker.getIndexInfosOfType(type);
    return infos.find((info) => (info.type.flags & ts.TypeFlags.Never) === 0)?.type;
  }

  /** The members of unions, without `undefined`, in an order that does not depend on how they are written. */
  constituents(types: ts.Type[]): ts.Type[] {
    const all = types.flatMap((type) => (type.isUnion() ? type.types : [type]));
    return all.filter(({ flags }) => (flags & ts.TypeFlags.Undefined) === 0);
  }

  kinds(types: ts.Type[]): Kinds {
    const kinds: Kinds = { scalars: new Map(), arrays: [], objects: [] };
    for (const one of this.constituents(types)) {
      if ((one.flags & ts.TypeFlags.Any) !== 0)
        throw new UserError("the types cannot be compared: one of them is any, which fits everything");
      if (this.#checker.isArrayType(one)) kinds.arrays.push(one);
      else if ((one.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection)) !== 0) kinds.objects.push(one);
      else kinds.scalars.set(this.#checker.typeToString(one, undefined, ts.TypeFormatFlags.NoTruncation), one);
    }
    if (kinds.scalars.has("true") && kinds.scalars.has("false")) {
      // The checker holds boolean as a union of two literals.
      kinds.scalars.delete("true");
      kinds.scalars.delete("false");
      kinds.scalars.set("boolean", this.#checker.getBooleanType());
    }
    return kinds;
  }

  /** Whether code that compares a value, or asks what it is, no longer compiles: a kind of value is gone. */
  loses(before: ts.Type[], after: ts.Type[]): boolean {
    const [was, is] = [this.kinds(before), this.kinds(after)];
    const isOther = (type: ts.Type) => (type.flags & (ts.TypeFlags.Null | ts.TypeFlags.Unknown)) === 0;
    const isKept = (type: ts.Type) => this.fits([type], [...is.scalars.values()]);
    const isList = ({ arrays, objects }: Kinds) => arrays.length > 0 || objects.some((one) => this.isTuple(one));
    const isObject = ({ objects }: Kinds) => objects.some((one) => !this.isTuple(one));
    return (
      [...was.scalars.values()].some((type) => isOther(type) && !isKept(type)) ||
      [isList, isObject].some((has) => has(was) && !has(is))
    );
  }

  text(types: ts.Type[]): string {
    const [only] = types;
    if (types.length === 1 && only?.isStringLiteral()) return only.value;
    const { scalars, arrays, objects } = this.kinds(types);
    const others = [...arrays, ...objects].map((one) => schemaName(one) ?? this.#checker.typeToString(one));
    return [...scalars.keys(), ...others].join(" | ");
  }
}

/** The name in `components.schemas` under which an object type stands. */
export function schemaName(type: ts.Type): string | undefined {
  const declared = type.symbol?.declarations?.[0]?.parent;
  if (declared === undefined || !ts.isPropertySignature(declared)) return undefined;
  const owner = declared.parent.parent;
  return ts.isPropertySignature(owner) && owner.name.getText() === "schemas"
    ? declared.name.getText().replace(/^"|"$/g, "")
    : undefined;
}
