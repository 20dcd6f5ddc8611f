/** Whether this is a long run, such as `npm run test:fleet` or `test:consumers`, and not `npm test`. */
export const long = process.env["LONG"] === "1";
