import { create } from "../../create.js";

export const revalidate = 60;
export default () => create();
