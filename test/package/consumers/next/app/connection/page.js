import { unstable_noStore as noStore } from "next/cache";
import * as server from "next/server";
import { show } from "../../create.js";

export const revalidate = 60;
export default async function Page() {
  // Next.js 14 has no `connection` yet.
  await (server.connection ?? noStore)();
  return show("connection");
}
