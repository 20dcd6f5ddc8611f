import { createRequire } from "node:module";
import type compiler from "typescript";

const require = createRequire(import.meta.url);

/**
 * TypeScript's compiler, as CommonJS: if it is imported, Node first searches its nine megabytes for exports, which takes
 * longer than everything else that `generate` does, except for Java.
 */
export const ts = require("typescript") as typeof compiler;

/** openapi-typescript, which loads the compiler in its turn. */
export const openapiTypescript = require("openapi-typescript") as typeof import("openapi-typescript");
