import packageJson from "../package.json" with { type: "json" };

const estree = () => import("prettier/plugins/estree");
const plugins = {
  typescript: [() => import("prettier/plugins/typescript"), estree],
  json: [() => import("prettier/plugins/babel"), estree],
  markdown: [() => import("prettier/plugins/markdown")],
  yaml: [() => import("prettier/plugins/yaml")],
};

/** Text as prettier leaves this project's own files. The whole of prettier takes twice as long to load, and writes the same. */
export async function prettify(text: string, parser: keyof typeof plugins): Promise<string> {
  const [{ format }, ...loaded] = await Promise.all([
    import("prettier/standalone"),
    ...plugins[parser].map((load) => load()),
  ]);
  return format(text, { ...packageJson.prettier, parser, plugins: loaded });
}
