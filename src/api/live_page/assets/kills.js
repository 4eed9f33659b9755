// The list of kills, the newest on top.

import { duration, isk, security } from "./format.js";

/** Most kills on the page. */
const MOST = 200;

const when = (killmail) => Date.parse(killmail.kill_time);

/** Later kills come first; of the same second, the higher id. */
const isBefore = (left, right) => when(left) > when(right) || (when(left) === when(right) && left.killmail_id > right.killmail_id);

const ticker = (party) => party.corporation_ticker && `[${party.corporation_ticker}]`;

/** Who somebody is, as far as it is known. */
function who(party) {
  const name = party.character_name ?? party.corporation_name ?? party.faction_name;
  const id = party.character_id ?? party.corporation_id ?? party.faction_id;
  return [name ?? (id === undefined ? "nobody known" : `#${id}`), ticker(party)].filter(Boolean).join(" ");
}

const ship = (party) => party.ship_name ?? (party.ship_type_id === undefined ? "an unknown ship" : `type ${party.ship_type_id}`);

const place = (killmail) => killmail.solar_system_name ?? `system ${killmail.solar_system_id}`;

/** A kill in one sentence. */
export const sentence = (killmail) => `${ship(killmail.victim)} of ${who(killmail.victim)} in ${place(killmail)}, ${isk(killmail.zkb?.totalValue)}`;

function finalBlow(killmail) {
  const attacker = killmail.attackers.find((attacker) => attacker.final_blow) ?? killmail.attackers[0];
  if (attacker === undefined) return "no attacker known";
  const others = killmail.attacker_count - 1;
  const company = others > 0 ? `, with ${others} more` : "";
  return `Final blow: ${who(attacker)}, ${ship(attacker)}${company}`;
}

/** The kills that are shown, in the element `list`. */
export class KillList {
  #list;
  #template;
  #shown = new Map();

  constructor(list, template) {
    this.#list = list;
    this.#template = template;
  }

  /** How many there are. */
  get size() {
    return this.#shown.size;
  }

  /** The newest one. */
  get newest() {
    return this.#shown.get(this.#list.firstElementChild)?.killmail;
  }

  /** Takes all away. */
  clear() {
    this.#shown.clear();
    this.#list.replaceChildren();
  }

  /** Shows a kill at its time; one that is there already is written anew. */
  put(killmail, isFresh) {
    const known = [...this.#shown.values()].find((row) => row.killmail.killmail_id === killmail.killmail_id);
    const row = known ?? { item: this.#template.content.firstElementChild.cloneNode(true) };
    row.killmail = killmail;
    this.#write(row);
    if (known) return;
    row.item.classList.toggle("fresh", isFresh);
    const next = [...this.#list.children].find((item) => isBefore(killmail, this.#shown.get(item).killmail));
    this.#list.insertBefore(row.item, next ?? null);
    this.#shown.set(row.item, row);
    while (this.#shown.size > MOST) {
      this.#shown.delete(this.#list.lastElementChild);
      this.#list.lastElementChild.remove();
    }
  }

  #write({ item, killmail }) {
    const text = (selector, words) => {
      const element = item.querySelector(selector);
      element.textContent = words;
      return element;
    };
    item.dataset.id = killmail.killmail_id;
    text(".ship", ship(killmail.victim));
    text(".value", isk(killmail.zkb?.totalValue));
    text(".victim", `${who(killmail.victim)}${killmail.victim.alliance_name ? `, ${killmail.victim.alliance_name}` : ""}`);
    text(".blow", finalBlow(killmail));
    const where = text(".place", `${place(killmail)} `);
    if (typeof killmail.security_status === "number") {
      const { text: status, band } = security(killmail.security_status);
      const mark = document.createElement("span");
      mark.className = band;
      mark.textContent = status;
      where.append(mark);
    }
    if (killmail.region_name) where.append(` ${killmail.region_name}`);
    item.querySelector("time").dateTime = killmail.kill_time;
    const link = item.querySelector("a");
    link.href = `https://zkillboard.com/kill/${Number(killmail.killmail_id)}/`;
    text("a .hidden", `: ${ship(killmail.victim)} of ${who(killmail.victim)}, opens in a new tab`);
  }

  /** Writes how old each kill is. */
  age(now) {
    for (const { item, killmail } of this.#shown.values()) {
      item.querySelector("time").textContent = `${duration((now - when(killmail)) / 1000)} ago`;
    }
  }
}
