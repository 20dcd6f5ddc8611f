/** Whether this is a long run, such as `npm run test:fleet` or `test:consumers`, and not `npm test`. */
export const long = process.env["LONG"] === "1";

/** Whether this system has signals, file modes and a shell. Windows has none of the three, and no Redis. */
export const isPosix = process.platform !== "win32";
