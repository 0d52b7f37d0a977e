// Functions, and an event to try one with.
import { call, command } from "./calls.js";
import { el, next } from "./dom.js";
import { functionParts } from "./function.js";

const EVENT = '{\n  "path": "/pets/1"\n}';

// Bytes as text; what isn't UTF-8 shows as replacement characters.
const text = (base64) => new TextDecoder().decode(Uint8Array.from(atob(base64 ?? ""), (sign) => sign.charCodeAt(0)));

// A thousand rows at once would take longer than a frame.
const PART = 100;
async function inParts(all, add) {
  for (let at = 0; at < all.length; at += PART) {
    if (at) await new Promise(next);
    add(all.slice(at, at + PART));
  }
}

export function functionsPage(place, chosen) {
  const said = el("p", { role: "status" }, "Asking the server…"), rows = el("tbody", {});
  const name = el("select", { required: true }), qualifier = el("input", { placeholder: "$LATEST", spellcheck: "false", autocomplete: "off" });
  const payload = el("textarea", { rows: 6, spellcheck: "false" }), answer = el("pre", { tabindex: "0", role: "group", "aria-label": "Answer" }, "Nothing invoked yet."), shown = el("pre", { class: "shown", tabindex: "0", role: "group", "aria-label": "Command" }, "…");
  payload.value = EVENT;
  const go = el("button", { class: "go" }, "Invoke");

  async function invoke(event) {
    event.preventDefault();
    let parsed;
    try {
      parsed = JSON.parse(payload.value);
    } catch (error) {
      answer.textContent = `The event is no JSON: ${error.message}`;
      return;
    }
    go.disabled = true;
    answer.textContent = "Running…";
    const bytes = new TextEncoder().encode(JSON.stringify(parsed));
    const base64 = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
    const input = { FunctionName: name.value, ...(qualifier.value && { Qualifier: qualifier.value }), LogType: "Tail", Payload: base64 };
    const began = performance.now();
    try {
      shown.textContent = await command("lambda", "Invoke", input);
      const { ExecutedVersion: version, FunctionError: error, LogResult: log, Payload: given } = await call("lambda", "Invoke", input);
      answer.textContent = `${error ? `✘ ${error}` : "✔ answered"}, version ${version}, ${Math.round(performance.now() - began)} ms\n${text(given)}\n\n${text(log)}`;
    } catch (error) {
      answer.textContent = `✘ ${error.message}`;
    }
    go.disabled = false;
  }

  // What stands below what is asked for comes with it, so that nothing is pushed away.
  const parts = el("div", {}), rest = el("div", { hidden: true }, parts,
    el("div", { class: "scroll", hidden: Boolean(chosen), tabindex: "0", role: "region", "aria-label": "Functions" }, el("table", { class: "even" }, el("thead", {}, el("tr", {}, ["Function", "Runtime", "Memory", "Timeout", "Code", "State"].map((word, at) => el("th", { scope: "col", class: at ? null : "name" }, word)))), rows)),
    el("h2", {}, "Try an event"),
    el("form", { class: "form", onsubmit: invoke }, el("label", {}, "Function ", name), el("label", {}, "Version or alias ", qualifier), el("label", { class: "wide" }, "Event (JSON) ", payload), go),
    el("h3", {}, "The same from the command line"), shown, el("h3", {}, "Answer"), answer);
  place.replaceChildren(el("h1", {}, chosen ?? "Functions"), said, rest);

  (async () => {
    const all = [];
    let marker;
    do {
      const page = await call("lambda", "ListFunctions", marker ? { Marker: marker } : {});
      all.push(...(page.Functions ?? []));
      marker = page.NextMarker;
    } while (marker && all.length < 5000);
    said.textContent = all.length ? `${all.length} function${all.length === 1 ? "" : "s"}.` : "No function yet: aws lambda create-function --function-name NAME …, or pitbird demo brings one.";
    const told = (part) => rows.append(...part.map((it) => el("tr", {}, el("th", { scope: "row" }, el("a", { href: `/_pitbird/functions/${encodeURIComponent(it.FunctionName)}` }, it.FunctionName)), el("td", {}, it.Runtime ?? it.PackageType), el("td", {}, `${it.MemorySize}\u00a0MB`), el("td", {}, `${it.Timeout}\u00a0s`), el("td", {}, `${Math.ceil((it.CodeSize ?? 0) / 1024)}\u00a0KiB`), el("td", {}, it.State ?? "Active"))));
    const offered = (part) => name.append(...part.map((it) => el("option", { value: it.FunctionName, selected: it.FunctionName === chosen }, it.FunctionName)));
    if (chosen && !all.some((it) => it.FunctionName === chosen)) said.textContent = "There is no function of this name here.";
    else if (chosen) {
      said.replaceChildren(el("a", { href: "/_pitbird/functions" }, "All functions"));
      await functionParts(parts, chosen);
    }
    rest.hidden = false;
    await inParts(all, (part) => { if (!chosen) told(part); offered(part); });
    shown.textContent = await command("lambda", "ListFunctions");
  })().catch((error) => (said.textContent = error.message));
  return null;
}
