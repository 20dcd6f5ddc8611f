/** Whether this is a test's long run (`npm run test:fleet`, `test:load`, `test:chaos`…), not the short one in `npm test`. */
export const long = process.env["LONG"] === "1";
