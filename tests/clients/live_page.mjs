// The page of kills in a real browser. Takes the browser's program and the service's address; takes commands, one JSON
// object a line, on standard input: {"push": COMMAND, "payload": {…}}, and answers each with one line.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const PATIENCE = 50_000;
const [program, address] = process.argv.slice(2);
const say = (type, fields = {}) => console.log(JSON.stringify({ type, ...fields }));
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const browser = await chromium.launch({
  executablePath: program,
  // Browsers refuse to sandbox what root starts; the rest keeps them from asking for things on the internet.
  args: [
    ...(process.getuid() === 0 ? ["--no-sandbox"] : []),
    ...["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
    ...["--disable-component-update", "--disable-sync"],
  ],
});
const page = await browser.newPage();
page.setDefaultTimeout(PATIENCE);

// What a user would find in the console, policy violations among it, and requests that leave the service.
const problems = [];
page.on("pageerror", (error) => problems.push(`error: ${error.message}`));
page.on("console", (message) => {
  if (["error", "warning"].includes(message.type())) problems.push(`${message.type()}: ${message.text()}`);
});
page.on("request", (request) => {
  if (new URL(request.url()).host !== address) problems.push(`request to ${request.url()}`);
});
await page.addInitScript(() => {
  document.addEventListener("securitypolicyviolation", (event) => {
    console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`);
  });
});

const row = (id) => page.locator(`#kills > li[data-id="${id}"]`);

/** The kills that are shown, from top to bottom. */
const shown = () => page.locator("#kills > li").evaluateAll((rows) => rows.map((row) => Number(row.dataset.id)));

/** Waits until the kills that are shown are as they should be. */
async function until(isRight, wanted) {
  for (const end = Date.now() + PATIENCE; ; ) {
    const found = await shown();
    if (isRight(found)) return;
    if (Date.now() > end) throw new Error(`shown are ${found}, not ${wanted}`);
    await page.locator("#kills").evaluate(() => new Promise(requestAnimationFrame));
  }
}

/** Where the focus is, and whether that can be seen. */
const focus = () =>
  page.evaluate(() => {
    const element = document.activeElement;
    const style = getComputedStyle(element);
    return { id: element.id, tag: element.tagName, text: element.textContent.trim(), outline: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0 };
  });

/** Presses the tabulator until an element has the focus; whatever has it on the way must show it. */
async function tabTo(id) {
  for (let presses = 0; presses < 40; presses++) {
    const at = await focus();
    if (presses > 0 && at.tag !== "BODY" && !at.outline) throw new Error(`the focus on ${at.tag} ${at.id} can't be seen`);
    if (at.id === id) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`${id} can't be reached with the tabulator`);
}

const commands = {
  async open({ path }) {
    await page.goto(`http://${address}${path}`);
    await page.locator('#connection[data-state="live"]').waitFor();
    return { title: await page.title() };
  },
  /** Waits for these kills; returns all that are shown, from top to bottom. */
  async sees({ ids }) {
    for (const id of ids) await row(id).waitFor({ state: "attached" });
    return { ids: await shown() };
  },
  /** Waits until these kills are shown, from top to bottom, and no other. */
  async exactly({ ids }) {
    await until((found) => JSON.stringify(found) === JSON.stringify(ids), ids);
    return {};
  },
  /** Waits until so many kills are shown. */
  async many({ count }) {
    await until((found) => found.length === count, count);
    return {};
  },
  async kill({ id }) {
    const text = async (selector) => (await row(id).locator(selector).innerText()).trim();
    const link = row(id).locator("a");
    return {
      ...Object.fromEntries(await Promise.all(["ship", "value", "victim", "place", "blow"].map(async (name) => [name, await text(`.${name}`)]))),
      age: await text("time"),
      href: await link.getAttribute("href"),
    };
  },
  /** Waits until an element has such a state. */
  async state({ id, state }) {
    const element = page.locator(`#${id}[data-state="${state}"]`);
    await element.waitFor();
    return { text: await element.innerText() };
  },
  /** Waits for a text in an element. */
  async text({ selector, text }) {
    await page.locator(selector).filter({ hasText: text }).first().waitFor({ state: "attached" });
    return {};
  },
  /** Types into fields by the keyboard alone, from the top of the page. */
  async type({ fields }) {
    await page.locator(".skip").focus();
    for (const [id, text] of Object.entries(fields)) {
      await tabTo(id);
      await page.keyboard.press("ControlOrMeta+A");
      if (text === "") await page.keyboard.press("Delete");
      else await page.keyboard.type(text);
    }
    await page.keyboard.press("Enter");
    return { address: page.url(), focus: (await focus()).id };
  },
  /** Presses a button by the keyboard alone. */
  async press({ id }) {
    await tabTo(id);
    await page.keyboard.press("Space");
    return { text: await page.locator(`#${id}`).innerText(), pressed: await page.locator(`#${id}`).getAttribute("aria-pressed") };
  },
  /** Where the first presses of the tabulator lead, and where Enter there leads. */
  async skip() {
    await page.keyboard.press("Tab");
    const first = await focus();
    await page.keyboard.press("Enter");
    return { first: first.text, then: (await focus()).id };
  },
  async look({ width, height, scheme }) {
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme: scheme });
    return page.evaluate(() => ({
      sideways: document.documentElement.scrollWidth - document.documentElement.clientWidth,
      ground: getComputedStyle(document.body).backgroundColor,
    }));
  },
  async accessibility() {
    await page.evaluate(axe);
    const found = await page.evaluate(() => window.axe.run());
    const violations = found.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join(" ")}`);
    return { violations, passes: found.passes.length };
  },
  async charts() {
    const labels = await page.locator("figure svg").evaluateAll((charts) => charts.map((chart) => chart.getAttribute("aria-label")));
    return { labels, bars: await page.locator("figure svg .bar").count(), rows: await page.locator("#activity-table tr").count() };
  },
  async picture({ file }) {
    await page.screenshot({ path: file });
    return {};
  },
  /** What went wrong since the last time. */
  async problems() {
    return { problems: problems.splice(0) };
  },
};

say("ready", { browser: browser.version() });
for await (const line of createInterface({ input: process.stdin })) {
  const { push, payload } = JSON.parse(line);
  try {
    say("reply", { push, response: await commands[push](payload) });
  } catch (error) {
    say("reply", { push, response: { failed: String(error), problems } });
  }
}
await browser.close();
