import { create } from "../../create.js";

// This is said to override what each request says, and it does.
export const fetchCache = "force-cache";
export const GET = async () => new Response(await create("forced-cache"));
