import { create } from "../../create.js";

export const revalidate = 60;
export const GET = async () => new Response(await create());
