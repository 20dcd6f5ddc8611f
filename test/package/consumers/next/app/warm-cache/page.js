import { show } from "../../create.js";

export const revalidate = 60;
export default () => show("warm-cache");
