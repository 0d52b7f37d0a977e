// Releases as the server tells them: everything once, then patches. A lost connection is said, and taken up where it broke.
import { scope } from "./calls.js";

const SILENCE_MS = 6000;

function apply(before, patch) {
  if (patch === null || typeof patch !== "object" || Array.isArray(patch)) return patch;
  const object = before !== null && typeof before === "object" && !Array.isArray(before) ? { ...before } : {};
  for (const [name, change] of Object.entries(patch)) {
    if (change === null) delete object[name];
    else Object.defineProperty(object, name, { value: apply(object[name], change), enumerable: true, configurable: true, writable: true });
  }
  return object;
}

export const live = new (class extends EventTarget {
  releases = new Map();
  isKnown = false;
  isLinked = false;
  trouble = "";
  // Server time minus ours, so that waits count down rightly on any clock.
  skew = 0;
  #heard = 0;
  #source = null;

  start() {
    document.addEventListener("visibilitychange", () => (document.hidden ? this.stop() : this.#open()));
    setInterval(() => {
      if (!document.hidden) this.#look();
    }, 1000);
    this.#open();
  }

  restart() {
    this.stop();
    this.releases = new Map();
    this.isKnown = false;
    this.#open();
    this.#tell();
  }

  // A page that nobody sees takes no connection: browsers have six for one host.
  stop() {
    this.#source?.close();
    this.#source = null;
  }

  now() { return Date.now() / 1000 + this.skew; }

  #look() {
    const isLinked = this.#source !== null && Date.now() - this.#heard < SILENCE_MS;
    if (isLinked !== this.isLinked) {
      this.isLinked = isLinked;
      this.#tell();
    }
    // A browser gives up on an address that answered something else meanwhile: the session may be over.
    if (this.#source?.readyState === EventSource.CLOSED) {
      this.stop();
      fetch("/_pitbird/session").then((answer) => answer.json()).then(({ login }) => {
        if (login === "needed") document.dispatchEvent(new Event("sign-in"));
        else this.#open();
      }, () => this.#open());
    }
  }

  #open() {
    if (this.#source) return;
    const source = (this.#source = new EventSource(`/_pitbird/live/releases?${scope.query}`));
    const on = (kind, heard) => source.addEventListener(kind, (event) => {
      const data = JSON.parse(event.data);
      this.#heard = Date.now();
      this.isLinked = true;
      if (data?.at) this.skew = data.at / 1000 - Date.now() / 1000;
      if (kind !== "trouble") this.trouble = "";
      heard(data);
      this.#tell();
    });
    on("all", ({ rollouts }) => {
      this.releases = new Map(rollouts.map((rollout) => [rollout.Name, rollout]));
      this.isKnown = true;
    });
    on("change", ({ changed, gone }) => {
      for (const [name, patch] of Object.entries(changed)) this.releases.set(name, apply(this.releases.get(name), patch));
      gone.forEach((name) => this.releases.delete(name));
    });
    on("beat", () => {});
    on("trouble", (words) => (this.trouble = words));
    source.addEventListener("error", () => {
      if (this.#source !== source) return;
      this.#heard = 0;
      this.isLinked = false;
      this.#tell();
    });
  }

  #tell() { this.dispatchEvent(new Event("change")); }
})();
