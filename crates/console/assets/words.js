// Numbers, times and states in words. A state always has a sign and a word beside its colour.
import { el } from "./dom.js";

export const STATES = {
  InProgress: ["▶", "in progress", "going"],
  Paused: ["‖", "paused", "careful"],
  Promoted: ["✔", "promoted", "good"],
  RolledBack: ["✘", "rolled back", "bad"],
  Aborted: ["■", "aborted", "careful"],
  Inconclusive: ["■", "inconclusive", "careful"],
  TimedOut: ["■", "timed out", "careful"],
  Failed: ["✘", "failed", "bad"],
};

export function state(status) {
  const [sign, word, tone] = STATES[status] ?? ["?", String(status), "careful"];
  return el("span", { class: `state ${tone}` }, el("span", { class: "sign", "aria-hidden": "true" }, sign), ` ${word}`);
}

const ALARMS = { OK: ["✔", "good"], ALARM: ["✘", "bad"], INSUFFICIENT_DATA: ["?", "careful"] };
export function alarmState(value) {
  const [sign, tone] = ALARMS[value] ?? ["?", "careful"];
  return el("span", { class: `state ${tone}` }, el("span", { class: "sign", "aria-hidden": "true" }, sign), ` ${value}`);
}

const grouped = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
export const count = (value) => (value === null || value === undefined ? "–" : grouped.format(value).replaceAll(",", "\u202f"));
export const percent = (share, digits = 2) => (share === null || share === undefined ? "–" : `${(share * 100).toFixed(digits)}\u00a0%`);
export const weight = (value) => `${Number((value ?? 0).toFixed(2))}\u00a0%`;
export const ms = (value) => (value === null || value === undefined ? "–" : `${value < 10 ? value.toFixed(1) : Math.round(value)}\u00a0ms`);

export function duration(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s}\u00a0s`;
  if (s < 3600) return `${Math.floor(s / 60)}\u00a0min ${s % 60}\u00a0s`;
  if (s < 86400) return `${Math.floor(s / 3600)}\u00a0h ${Math.floor((s % 3600) / 60)}\u00a0min`;
  return `${Math.floor(s / 86400)}\u00a0d ${Math.floor((s % 86400) / 3600)}\u00a0h`;
}

// Local time to read, UTC to compare with.
export function time(seconds) {
  if (!seconds) return "–";
  const at = new Date(seconds * 1000);
  const isToday = at.toDateString() === new Date().toDateString();
  const local = isToday ? at.toLocaleTimeString() : at.toLocaleString();
  return el("time", { datetime: at.toISOString(), title: `${at.toISOString()} (UTC)` }, local);
}

// The minute of a day; the whole time is told where the pointer rests.
export function minute(seconds) {
  if (!seconds) return "–";
  const at = new Date(seconds * 1000);
  return el("time", { datetime: at.toISOString(), title: `${at.toISOString()} (UTC)` }, at.toLocaleTimeString([], { hour: "numeric", minute: "2-digit" }));
}

export function target(rollout) {
  const { RestStage: stage, LambdaAlias: alias, LambdaAliases: aliases } = rollout.Target ?? {};
  if (stage) return `stage ${stage.StageName} of REST API ${stage.RestApiId}`;
  if (alias) return `alias ${alias.AliasName} of function ${alias.FunctionName}`;
  if (aliases) return `aliases ${aliases.map((it) => `${it.AliasName} of ${it.FunctionName}`).join(", ")}`;
  return "";
}

export function version(arm) {
  const { DeploymentId: deployment, FunctionVersion: version, FunctionVersions: versions, StageVariableOverrides: overrides } = arm ?? {};
  const words = Object.entries(overrides ?? {}).map(([name, value]) => `${name}=${value}`);
  words.unshift(...Object.entries(versions ?? {}).map(([name, version]) => `version ${version} of ${name}`));
  if (version) words.unshift(`version ${version}`);
  if (deployment) words.unshift(`deployment ${deployment}`);
  return words.join(", ");
}

export const isOver = (rollout) => Boolean(rollout.EndedAt);
export const address = (name) => `/_pitbird/releases/${encodeURIComponent(name)}`;

// A table that scrolls by itself where it is too wide; the first cell of a row names it.
export const table = (label, heads, rows) => el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, el("table", {},
  el("thead", {}, el("tr", {}, heads.map((head) => el("th", { scope: "col" }, head)))),
  el("tbody", {}, rows.map(([first, ...cells]) => el("tr", {}, el("th", { scope: "row" }, first), cells.map((cell) => el("td", {}, cell)))))));
