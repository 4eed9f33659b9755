// The official Phoenix client as a listener. Takes the service's address and a JSON list of systems; prints one
// JSON object a line for whatever happens, and takes commands, one JSON object a line, on standard input:
// {"push": EVENT, "payload": {…}}.

import { createInterface } from "node:readline";
import { Socket } from "phoenix";
import { WebSocket } from "ws";

const [address, systems] = process.argv.slice(2);
const say = (type, fields = {}) => console.log(JSON.stringify({ type, ...fields }));

let cursor = null;
const socket = new Socket(`ws://${address}/socket`, {
  transport: WebSocket,
  reconnectAfterMs: () => 100,
  rejoinAfterMs: () => 100,
  heartbeatIntervalMs: 1000,
});
socket.onOpen(() => say("open"));
socket.onClose((event) => say("close", { code: event.code }));

// Evaluated at each join: after a reconnect the server goes on behind what has been seen.
const parameters = () => ({
  systems: JSON.parse(systems),
  ...(cursor === null ? {} : { after: cursor }),
});
const channel = socket.channel("killmails:lobby", parameters);
channel.on("killmail_update", (update) => {
  if (Number.isInteger(update.cursor)) cursor = update.cursor;
  const killmails = update.killmails.map((killmail) => killmail.killmail_id);
  say("killmail_update", { system_id: update.system_id, preload: update.preload, killmails });
});
channel.on("kill_count_update", (update) => say("kill_count_update", update));
channel.on("preload_complete", (update) => say("preload_complete", update));
channel.onError(() => say("channel_error"));
channel
  .join()
  .receive("ok", (response) => say("joined", { response }))
  .receive("error", (response) => say("refused", { response }));
socket.connect();

for await (const line of createInterface({ input: process.stdin })) {
  const { push, payload } = JSON.parse(line);
  channel
    .push(push, payload)
    .receive("ok", (response) => say("reply", { push, response }))
    .receive("error", (response) => say("reply_error", { push, response }));
}
socket.disconnect(() => process.exit(0));
