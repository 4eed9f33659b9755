// Kills as they happen. Everything comes from the service's own interface, and goes into the page as text.

import { showActivity } from "./charts.js";
import { Feed } from "./feed.js";
import { FilterForm } from "./filter.js";
import { duration, median } from "./format.js";
import { KillList, sentence } from "./kills.js";
import { showHealth } from "./status.js";

/** Milliseconds between two looks at the service's health, between two at the charts, and between two updates of ages. */
const HEALTH_EVERY = 15_000;
const ACTIVITY_EVERY = 60_000;
const AGES_EVERY = 5_000;
/** Milliseconds between two announcements to screen readers. */
const ANNOUNCE_EVERY = 20_000;
/** Most kills that wait while the list is paused; older ones go first, as they would in the list. */
const MOST_WAITING = 200;
/** Lags that the median is taken of. */
const LAGS = 20;
/** A kill that is older came from history and says nothing of lag, milliseconds. */
const LIVE_WITHIN = 3_600_000;

const by = (id) => document.getElementById(id);
const list = new KillList(by("kills"), by("kill"));
const form = new FilterForm(by("filter"), begin);
const feed = new Feed({ began, history, event, state });
const lags = [];
let waiting = [];
let unannounced = [];
let isPaused = false;
/** Milliseconds that the service's clock is ahead of this one. */
let ahead = 0;

const now = () => Date.now() + ahead;

async function get(path) {
  const response = await fetch(path);
  // Health answers 503 with the same shape.
  return response.headers.get("content-type")?.startsWith("application/json") ? response.json() : null;
}

/** Runs at once and then again and again, while somebody looks. */
function regularly(work, every) {
  const run = () => {
    if (!document.hidden) work().catch(() => {});
  };
  run();
  setInterval(run, every);
  document.addEventListener("visibilitychange", run);
}

function began() {
  list.clear();
  waiting = [];
  unannounced = [];
  by("notice").textContent = "Reading what was";
}

function history(killmails) {
  for (const killmail of killmails) {
    form.learn(killmail);
    list.put(killmail, false);
  }
  form.refresh();
  changed();
}

function event({ kind, killmail }) {
  form.learn(killmail);
  const lag = now() - Date.parse(killmail.kill_time);
  if (kind === "new" && lag < LIVE_WITHIN) {
    lags.splice(0, Math.max(0, lags.length + 1 - LAGS));
    lags.push(Math.max(0, lag));
    by("lag").textContent = `${duration(median(lags) / 1000)}, median of ${lags.length}`;
  }
  if (isPaused) {
    waiting.push(killmail);
    waiting.splice(0, waiting.length - MOST_WAITING);
    nameButton();
    return;
  }
  list.put(killmail, true);
  if (kind === "new") {
    unannounced.push(killmail);
    unannounced.splice(0, unannounced.length - MOST_WAITING);
  }
  changed();
}

function changed() {
  list.age(now());
  by("notice").textContent = list.size === 0 ? "No kills yet; the next ones appear here." : "";
}

function state(name, detail = "") {
  const words = { connecting: "Connecting", live: "Live", waiting: "Connection lost, trying again", refused: `Refused: ${detail}` };
  const shown = by("connection");
  // Said anew only when it changes: this is read out.
  if (shown.textContent !== words[name]) shown.textContent = words[name];
  shown.dataset.state = name;
}

function nameButton() {
  const button = by("pause");
  button.setAttribute("aria-pressed", String(isPaused));
  button.textContent = isPaused && waiting.length > 0 ? `Paused, ${waiting.length} waiting` : isPaused ? "Paused" : "Pause";
}

by("pause").addEventListener("click", () => {
  isPaused = !isPaused;
  if (!isPaused) {
    for (const killmail of waiting) list.put(killmail, true);
    waiting = [];
    changed();
  }
  nameButton();
});

function announce() {
  if (unannounced.length === 0) return;
  const value = (killmail) => killmail.zkb?.totalValue ?? 0;
  const most = unannounced.reduce((left, right) => (value(right) > value(left) ? right : left));
  const others = unannounced.length - 1;
  by("announcer").textContent = others === 0 ? `New kill: ${sentence(most)}` : `${others + 1} new kills, the most valuable: ${sentence(most)}`;
  unannounced = [];
}

/** What the charts are of: statistics know one place or one ship. */
function subject() {
  const { systems, regions, ship_types: ships } = form.selected;
  if (systems !== undefined) return [`&system=${systems}`, `All kills in ${form.name("systems")}`];
  if (regions !== undefined) return [`&region=${regions}`, `All kills in ${form.name("regions")}`];
  if (ships !== undefined) return [`&ship_type=${ships}`, `All kills with ${form.name("ship_types")} among the attackers`];
  return ["", "All kills everywhere"];
}

async function showCharts() {
  const [parameter, words] = subject();
  const activity = await get(`api/stats/activity?bucket=hour${parameter}`);
  if (activity?.buckets === undefined || parameter !== subject()[0]) return;
  by("activity-subject").textContent = words;
  showActivity(activity.buckets, { kills: by("kills-chart"), value: by("isk-chart"), table: by("activity-table") });
}

async function learnPlaces() {
  const active = await get("api/systems/active?hours=168&limit=1000");
  for (const system of active?.systems ?? []) {
    form.learnPlace(system.solar_system_id, system.name, system.region_id, system.region_name);
  }
  form.refresh();
}

async function look() {
  const health = await get("health").catch(() => null);
  if (health) ahead = Date.parse(health.timestamp) - Date.now();
  showHealth(health, now());
}

function begin() {
  state("connecting");
  feed.follow(form.parameters());
  showCharts().catch(() => {});
}

begin();
learnPlaces().catch(() => {});
regularly(look, HEALTH_EVERY);
regularly(showCharts, ACTIVITY_EVERY);
setInterval(() => list.age(now()), AGES_EVERY);
setInterval(announce, ANNOUNCE_EVERY);
