/** The oldest Node that package.json allows, and the newest of each line that is kept; and the npm that each brings. */
export const nodes = { "20.19.0": "10.8.2", "22.23.3": "10.9.9", "24.21.0": "11.19.0", "26.10.0": "11.19.1" };
