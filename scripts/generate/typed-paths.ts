import { UserError } from "../command.js";
import { type OpenApi, strayPercent } from "../spec/json.js";
import { rewrite } from "./rewrite.js";
import { openapiTypescript } from "./typescript.js";

/**
 * What openapi-typescript makes of a spec: a module of types.
 *
 * @throws {UserError} for what it cannot read
 */
export async function typedPaths(spec: OpenApi): Promise<string> {
  const json = JSON.stringify(rewrite(spec));
  // It decodes the names in its way to a schema, and fails at a "%" that encodes nothing.
  let count = 0;
  while (json.includes(`<${count}>`)) count++;
  const percent = `<${count}>`;
  try {
    const ast = await openapiTypescript.default(json.replaceAll(strayPercent, percent), {
      // A property with a default may still be left out of a request.
      defaultNonNullable: false,
      silent: true,
    });
    return openapiTypescript.astToString(ast).replaceAll(percent, "%");
  } catch (error) {
    // It follows each reference within the one that led to it.
    if (error instanceof RangeError) throw new UserError("the spec's references lead through too many others");
    const [reason = ""] = String(error instanceof Error ? error.message : error).split("\n");
    throw new UserError(`openapi-typescript failed: ${reason.slice(0, 300)}`);
  }
}
