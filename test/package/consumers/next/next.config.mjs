// The link in node_modules leads out of the app's folder.
export default { turbopack: { root: "/" } };
