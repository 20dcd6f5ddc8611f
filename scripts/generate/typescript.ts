import { createRequire } from "node:module";
import type compiler from "typescript";

const require = createRequire(import.meta.url);

/**
 * TypeScript's compiler, as CommonJS: if it is imported, Node searches its nine megabytes for exports first, which
 * takes longer than all else that `generate` does but for Java.
 */
export const ts = require("typescript") as typeof compiler;

/** openapi-typescript, which loads the compiler in its turn. */
export const openapiTypescript = require("openapi-typescript") as typeof import("openapi-typescript");
