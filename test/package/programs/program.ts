import { journey } from "./journey.js";

const { argv, versions } = globalThis.process;

void journey(JSON.parse(argv[2] ?? "")).then((outcomes) => console.log(JSON.stringify({ versions, outcomes })));
