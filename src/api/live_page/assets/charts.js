// Kills and ISK by the hour: two charts of bars, and the same as a table.

import { count, hour, isk, short } from "./format.js";

const SVG = "http://www.w3.org/2000/svg";
/** The chart's own units. */
const WIDTH = 480;
const HEIGHT = 140;
const TOP = 20;
const BOTTOM = 20;
/** Room for the name of an hour. */
const LABEL = 55;

function element(name, attributes = {}, text = undefined) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

/** Draws one value of each bucket. */
function draw(figure, name, buckets, value, words) {
  const values = buckets.map(value);
  const most = Math.max(0, ...values);
  const total = values.reduce((sum, one) => sum + one, 0);
  const svg = element("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" });
  svg.setAttribute("aria-label", `${name}: ${words(total)} in all, ${words(most)} in the busiest hour`);
  const step = WIDTH / Math.max(1, buckets.length);
  const room = HEIGHT - TOP - BOTTOM;
  buckets.forEach((bucket, index) => {
    const height = most === 0 ? 0 : (values[index] / most) * room;
    const bar = element("rect", {
      class: "bar",
      x: index * step + 1,
      y: HEIGHT - BOTTOM - height,
      width: Math.max(1, step - 2),
      height,
    });
    bar.append(element("title", {}, `${hour(bucket.time)} UTC: ${words(values[index])}`));
    svg.append(bar);
    // Not where the label would be cut off.
    if (index % 6 === 0 && index * step < WIDTH - LABEL) svg.append(element("text", { x: index * step, y: HEIGHT - 4 }, hour(bucket.time)));
  });
  svg.append(element("line", { class: "axis", x1: 0, x2: WIDTH, y1: HEIGHT - BOTTOM, y2: HEIGHT - BOTTOM }));
  svg.append(element("text", { x: 0, y: 15 }, `busiest hour ${words(most)} · all ${words(total)}`));
  figure.querySelector("svg")?.remove();
  figure.append(svg);
}

function cell(kind, text) {
  const made = document.createElement(kind);
  made.textContent = text;
  return made;
}

/** Shows the buckets of `/api/stats/activity`. */
export function showActivity(buckets, { kills, value, table }) {
  draw(kills, "Kills by the hour", buckets, (bucket) => bucket.kills.killmails, count);
  draw(value, "ISK by the hour", buckets, (bucket) => bucket.kills.isk, short);
  const rows = buckets.map((bucket) => {
    const row = document.createElement("tr");
    const head = cell("th", hour(bucket.time));
    head.scope = "row";
    row.append(head, cell("td", count(bucket.kills.killmails)), cell("td", isk(bucket.kills.isk)));
    return row;
  });
  table.replaceChildren(...rows);
}
