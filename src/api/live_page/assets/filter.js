// The filter: what is typed becomes ids by the names that are known, and stands in the page's address.

import { readIsk } from "./format.js";

/** Most names kept of a kind. */
const MOST_NAMES = 5000;

/** Names of a kind, offered by a list of suggestions. */
class Names {
  #list;
  #ids = new Map();
  #names = new Map();

  constructor(list) {
    this.#list = list;
  }

  add(id, name) {
    if (!name || this.#names.has(id) || this.#names.size >= MOST_NAMES) return;
    this.#names.set(id, name);
    this.#ids.set(name.toLowerCase(), id);
    const option = document.createElement("option");
    option.value = name;
    this.#list.append(option);
  }

  /** The id of a name or of an id as text; null where it is neither. */
  id(text) {
    if (/^[1-9]\d{0,15}$/.test(text)) return Number(text);
    return this.#ids.get(text.toLowerCase()) ?? null;
  }

  name(id) {
    return this.#names.get(id) ?? String(id);
  }
}

/** The form with its fields. */
export class FilterForm {
  #form;
  #fields;
  #names;

  /** `changed()` is called when another filter holds. */
  constructor(form, changed) {
    const by = (id) => form.ownerDocument.getElementById(id);
    this.#form = form;
    this.#names = { systems: new Names(by("systems")), regions: new Names(by("regions")), ship_types: new Names(by("ships")) };
    this.#fields = [...form.querySelectorAll("input")];
    this.selected = this.#fromAddress();
    this.#show();
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.#read()) changed();
    });
    form.addEventListener("reset", (event) => {
      event.preventDefault();
      this.selected = {};
      this.#show();
      this.#toAddress();
      changed();
    });
  }

  /** Learns the names that a killmail has. */
  learn(killmail) {
    this.learnPlace(killmail.solar_system_id, killmail.solar_system_name, killmail.region_id, killmail.region_name);
    for (const party of [killmail.victim, ...killmail.attackers]) {
      this.#names.ship_types.add(party.ship_type_id, party.ship_name);
    }
  }

  /** Learns a system and its region. */
  learnPlace(systemId, system, regionId, region) {
    this.#names.systems.add(systemId, system);
    this.#names.regions.add(regionId, region);
  }

  /** As parameters of the service's filter. */
  parameters() {
    return new URLSearchParams(Object.entries(this.selected));
  }

  /** The name behind the id that a field holds. */
  name(field) {
    return this.#names[field].name(this.selected[field]);
  }

  /** Writes what is selected into the fields, by name where names are known. */
  #show() {
    for (const field of this.#fields) {
      const value = this.selected[field.name];
      field.value = value === undefined ? "" : (this.#names[field.name]?.name(value) ?? value);
      this.#tell(field, "");
    }
  }

  /** Shows names for ids, once they are known; what somebody is typing stays. */
  refresh() {
    for (const field of this.#fields) {
      const names = this.#names[field.name];
      const value = this.selected[field.name];
      if (names && value !== undefined && field.value === String(value)) field.value = names.name(value);
    }
  }

  #read() {
    const selected = {};
    let wrong = null;
    for (const field of this.#fields) {
      const text = field.value.trim();
      if (text === "") {
        this.#tell(field, "");
        continue;
      }
      const names = this.#names[field.name];
      const value = names ? names.id(text) : readIsk(text);
      if (value === null) wrong ??= field;
      const advice = names ? `“${text}” is not among the names seen here; its id works too.` : `“${text}” is no amount; 250000000, 250m and 1.5b are.`;
      this.#tell(field, value === null ? advice : "");
      selected[field.name] = value;
    }
    wrong?.focus();
    if (wrong) return false;
    this.selected = selected;
    this.#toAddress();
    return true;
  }

  #tell(field, error) {
    field.ownerDocument.getElementById(`${field.id}-error`).textContent = error;
    field.setAttribute("aria-invalid", String(error !== ""));
  }

  #fromAddress() {
    const selected = {};
    for (const [name, text] of new URLSearchParams(location.search)) {
      const value = name in this.#names ? this.#names[name].id(text) : name === "min_value" ? readIsk(text) : null;
      if (value !== null) selected[name] = value;
    }
    return selected;
  }

  #toAddress() {
    const query = this.parameters().toString();
    history.replaceState(null, "", query === "" ? location.pathname : `?${query}`);
  }
}
