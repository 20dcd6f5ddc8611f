import { PostCustomerTokenIdpModelScopesEnum } from "cybrid-customer-tokens";
import { type Command, program } from "./command.js";

export const scopes: Command = {
  summary: "lists the scopes that this version knows, one on each line",
  options: {},
  example: `${program} scopes | grep :read`,

  run(_, io) {
    io.stdout(`${Object.values(PostCustomerTokenIdpModelScopesEnum).join("\n")}\n`);
    return 0;
  },
};
