// The npm EventSource as a listener. Takes a URL; prints one JSON object a line for whatever happens, until its
// standard input ends.

import { EventSource } from "eventsource";

const say = (type, fields = {}) => console.log(JSON.stringify({ type, ...fields }));
const source = new EventSource(process.argv[2]);
source.onopen = () => say("open");
source.onerror = () => say("error");
const killmail = (event) => say("killmail", { id: event.lastEventId, data: JSON.parse(event.data) });
source.onmessage = killmail;
source.addEventListener("killmail", killmail);

process.stdin.on("end", () => process.exit(0)).resume();
