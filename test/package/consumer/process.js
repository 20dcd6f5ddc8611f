import { journey } from "./journey.js";

const { argv, versions } = globalThis.process;

console.log(JSON.stringify({ versions, outcomes: await journey(JSON.parse(argv[2])) }));
