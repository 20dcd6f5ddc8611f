/** Whether this is a long run (`npm run test:fleet`, `test:load`, `test:chaos`, `test:consumers`), not `npm test`. */
export const long = process.env["LONG"] === "1";
