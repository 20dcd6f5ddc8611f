import { PostCustomerTokenIdpModelScopesEnum } from "cybrid-customer-tokens";
import { type Command, program } from "./command.js";

export const scopes: Command = {
  summary: "lists the scopes that this version knows, one on each line",
  options: {},
  example: `${program} scopes | grep :read`,

  run(_, io) {
    const byResource = new Map<string, string>();
    for (const scope of Object.values<string>(PostCustomerTokenIdpModelScopesEnum)) {
      const resource = scope.slice(0, scope.indexOf(":"));
      byResource.set(resource, `${byResource.get(resource) ?? ""}${scope}\n`);
    }
    io.stdout([...byResource.values()].join("\n"));
    return 0;
  },
};
