import { mint } from "../../mint.js";

export const revalidate = 60;
export default () => mint();
