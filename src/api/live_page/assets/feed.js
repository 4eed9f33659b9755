// The feed, as the page follows it: the stream is opened first, then history is read, so that nothing falls between
// them; a cursor carries it over interruptions.

/** How long to wait where the browser does not connect again by itself, milliseconds. */
const PAUSE = 3000;
/** Kills of the past that are shown at first. */
const HISTORY = 100;

/** Follows the kills that a filter selects. */
export class Feed {
  #handlers;
  #filter = new URLSearchParams();
  #source = null;
  #cursor = null;
  #timer = null;

  /** `handlers`: `began()`, `history(killmails)`, `event(event)` and `state(name, detail)`. */
  constructor(handlers) {
    this.#handlers = handlers;
  }

  /** Starts anew with this filter. */
  follow(filter) {
    this.#filter = filter;
    this.#open(null);
  }

  #close() {
    clearTimeout(this.#timer);
    this.#source?.close();
  }

  #open(cursor) {
    this.#close();
    this.#cursor = cursor;
    const parameters = new URLSearchParams(this.#filter);
    if (cursor !== null) parameters.set("after", cursor);
    const source = new EventSource(`api/killfeed/stream?${parameters}`);
    this.#source = source;
    source.onopen = () => {
      this.#handlers.state("live");
      // Also after an interruption before the first event: the browser had no cursor to go on from.
      if (this.#cursor === null) this.#begin(source);
    };
    source.onmessage = (message) => {
      this.#cursor = message.lastEventId;
      this.#handlers.event(JSON.parse(message.data));
    };
    source.addEventListener("cursor", (message) => {
      this.#cursor = message.lastEventId;
    });
    source.addEventListener("error", (event) => this.#failed(source, event));
  }

  #failed(source, event) {
    this.#handlers.state("waiting");
    if (event.data !== undefined) {
      // The server's last word: the cursor can't be served any more.
      this.#later(() => this.#open(null));
    } else if (source.readyState === EventSource.CLOSED) {
      this.#later(() => this.#resume());
    }
  }

  #later(work) {
    this.#close();
    this.#timer = setTimeout(work, PAUSE);
  }

  /** The browser has given up; a plain request says why. */
  async #resume() {
    const parameters = new URLSearchParams(this.#filter);
    parameters.set("after", this.#cursor ?? 0);
    parameters.set("limit", 1);
    const source = this.#source;
    try {
      const response = await fetch(`api/killfeed?${parameters}`);
      if (source !== this.#source) return;
      if (response.ok) this.#open(this.#cursor);
      else if ([409, 410].includes(response.status)) this.#open(null);
      else if (response.status === 400) await this.#refused(response);
      else this.#later(() => this.#resume());
    } catch {
      if (source === this.#source) this.#later(() => this.#resume());
    }
  }

  async #begin(source) {
    const parameters = new URLSearchParams(this.#filter);
    parameters.set("limit", HISTORY);
    this.#handlers.began();
    try {
      const response = await fetch(`api/killmails?${parameters}`);
      if (source !== this.#source) return;
      if (response.ok) this.#handlers.history((await response.json()).killmails);
      else if (response.status === 400 || response.status === 422) await this.#refused(response);
      else this.#later(() => this.#open(null));
    } catch {
      if (source === this.#source) this.#later(() => this.#open(null));
    }
  }

  async #refused(response) {
    this.#close();
    const problem = await response.json();
    this.#handlers.state("refused", problem.detail);
  }
}
