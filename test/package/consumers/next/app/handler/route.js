import { mint } from "../../mint.js";

export const revalidate = 60;
export const GET = async () => new Response(await mint());
