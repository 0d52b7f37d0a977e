// Log lines as they come.
import { call, command, scope } from "./calls.js";
import { el } from "./dom.js";

const LINES_MAX = 2000;
const EMPTY = "aws logs describe-log-groups";

export function logsPage(place) {
  const groups = el("select", { id: "group", required: true });
  const filter = el("input", { id: "filter", placeholder: 'ERROR, or { $.level = "error" }', spellcheck: "false", autocomplete: "off" });
  const said = el("p", { role: "status", class: "small" }, "Asking the server…"), shown = el("pre", { role: "group", "aria-label": "Command", tabindex: "0" }, EMPTY);
  const lines = el("div", { class: "lines", tabindex: "0", role: "log", "aria-label": "Log lines" });
  const pause = el("button", { type: "button", "aria-pressed": "false" }, "Hold");
  let source = null, isHeld = false, held = [], turn = 0;
  const add = (all) => {
    const isAtEnd = lines.scrollHeight - lines.scrollTop - lines.clientHeight < 40;
    lines.append(...all.slice(-LINES_MAX).map(({ timestamp, message, logStreamName }) => {
      const at = new Date(timestamp);
      return el("div", {}, el("time", { datetime: at.toISOString(), title: `${at.toISOString()} (UTC), ${logStreamName}` }, at.toLocaleTimeString()), ` ${message.trimEnd()}`);
    }));
    while (lines.childElementCount > LINES_MAX) lines.firstElementChild.remove();
    if (isAtEnd) lines.scrollTop = lines.scrollHeight;
  };
  const heard = (all) => {
    if (!isHeld) return add(all);
    held = [...held, ...all].slice(-LINES_MAX);
    said.textContent = `Held; ${held.length} lines wait.`;
  };
  // What was asked before the last turn is no longer wanted when it comes.
  const stop = () => { source?.close(); source = null; return ++turn; };
  async function follow(event) {
    event?.preventDefault();
    const mine = stop();
    lines.replaceChildren();
    if (!groups.value) return;
    const input = { logGroupName: groups.value, ...(filter.value && { filterPattern: filter.value }) };
    command("logs", "FilterLogEvents", input).then((words) => (shown.textContent = words), () => {});
    const recent = await call("logs", "FilterLogEvents", { ...input, startTime: Date.now() - 600000, limit: 500 }).catch((error) => { said.textContent = error.message; });
    if (!recent || mine !== turn) return;
    add(recent.events ?? []);
    said.textContent = recent.events?.length ? "The last ten minutes, and what comes." : "Nothing in the last ten minutes; what comes appears here.";
    source = new EventSource(`/_pitbird/live/logs?${scope.query}&group=${encodeURIComponent(groups.value)}&filter=${encodeURIComponent(filter.value)}`);
    source.addEventListener("sessionUpdate", ({ data }) => heard(JSON.parse(data).sessionResults ?? []));
    source.addEventListener("refused", ({ data }) => { said.textContent = JSON.parse(data); stop(); });
    source.addEventListener("error", () => { if (source) said.textContent = "The connection is lost; trying again."; });
    source.addEventListener("open", () => { if (said.textContent.startsWith("The connection")) said.textContent = "Connected again; lines between may be missing."; });
  }
  pause.addEventListener("click", () => {
    isHeld = !isHeld;
    pause.setAttribute("aria-pressed", String(isHeld));
    pause.textContent = isHeld ? "Go on" : "Hold";
    said.textContent = isHeld ? "Held." : "";
    if (!isHeld) { add(held); held = []; }
  });
  const rest = el("div", { hidden: true }, lines, el("details", {}, el("summary", {}, "The same from the command line"), shown));
  place.replaceChildren(el("h1", {}, "Logs"),
    el("form", { class: "form", onsubmit: follow }, el("label", {}, "Log group ", groups), el("label", {}, "Filter pattern ", filter), el("button", { class: "go" }, "Follow"), pause),
    said, rest);
  call("logs", "DescribeLogGroups").then(({ logGroups }) => {
    groups.append(...(logGroups ?? []).map((group) => el("option", { value: group.logGroupName }, group.logGroupName)));
    if (!logGroups?.length) said.textContent = "No log group yet. Functions make theirs when they are invoked first: aws lambda invoke --function-name NAME /dev/stdout";
    else follow();
    rest.hidden = false;
  }, (error) => (said.textContent = error.message));
  return stop;
}
