// What the service says of itself.

import { duration } from "./format.js";

function tell(id, words, isBad = false) {
  const shown = document.getElementById(id);
  if (shown.textContent !== words) shown.textContent = words;
  shown.dataset.state = isBad ? "bad" : "good";
}

function source(ingest) {
  if (ingest.reason) return `${ingest.reason.replaceAll("_", " ")}, asked again at ${ingest.until?.slice(11, 16) ?? "?"} UTC`;
  const [latest] = [...(ingest.sources ?? [])].sort((left, right) => left.age_seconds - right.age_seconds);
  return latest ? `${latest.source}, moved ${duration(latest.age_seconds)} ago` : "nothing read yet";
}

/** Shows the answer of `/health`; null where there was none. */
export function showHealth(health, now) {
  if (!health) {
    tell("service", "no answer", true);
    return;
  }
  const { database, feed, ingest } = health.details ?? {};
  const behind = feed?.lag_events ? `, ${feed.lag_events} events behind` : "";
  const away = database?.healthy === false ? ", no database" : "";
  tell("service", `${health.status}${behind}${away}`, !health.healthy);
  if (!ingest) {
    tell("source", "unknown", true);
    return;
  }
  tell("source", source(ingest), ingest.healthy === false);
  const newest = ingest.newest_killmail;
  tell("newest", newest ? `${duration((now - Date.parse(newest)) / 1000)} ago` : "none");
}
