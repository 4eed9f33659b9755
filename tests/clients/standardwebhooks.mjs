// Verifies one webhook by the Standard Webhooks library. Takes {"secret", "headers", "body"} on standard input; prints
// {"payload": …}, or {"refused": REASON}.

import { Webhook } from "standardwebhooks";

let input = "";
for await (const chunk of process.stdin.setEncoding("utf8")) input += chunk;
const { secret, headers, body } = JSON.parse(input);
try {
  console.log(JSON.stringify({ payload: new Webhook(secret).verify(body, headers) }));
} catch (error) {
  console.log(JSON.stringify({ refused: error.message }));
}
