// A release as a file of its own: one HTML document that needs nothing else.
import { count, percent, STATES, target, version, weight } from "./words.js";

export function download(name, type, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

const escape = (text) => String(text ?? "").replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
const utc = (seconds) => (seconds ? new Date(seconds * 1000).toISOString() : "–");
const row = (name, ...cells) => `<tr><th scope="row">${escape(name)}</th>${cells.map((cell) => `<td>${escape(cell)}</td>`).join("")}</tr>`;

export function report(rollout) {
  const { Base: base, Canary: canary } = rollout.Evidence ?? {};
  const word = STATES[rollout.Status]?.slice(0, 2).join(" ") ?? rollout.Status;
  const items = (list, shown) => (list ?? []).map((item) => `<li>${escape(shown(item))}</li>`).join("");
  const arms = base ? `<table><thead><tr><td></td><th>base</th><th>canary</th></tr></thead><tbody>${[
    row("version", version(rollout.Base), version(rollout.Canary)), row("requests", count(base.Requests), count(canary.Requests)),
    row("errors", count(base.Failures), count(canary.Failures)), row("error rate", percent(base.Rate), percent(canary.Rate)),
    row("with 95 %, at all times", `${percent(base.RateLow)} to ${percent(base.RateHigh)}`, `${percent(canary.RateLow)} to ${percent(canary.RateHigh)}`),
  ].join("")}</tbody></table>` : "";
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escape(rollout.Name)}</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;overflow-wrap:anywhere}table{border-collapse:collapse}th,td{text-align:left;padding:.3rem .5rem;border-bottom:1px solid #bbb}pre{overflow:auto}</style>
<h1>${escape(rollout.Name)}: ${escape(word)}</h1><p>${escape(version(rollout.Canary))} to ${escape(target(rollout))}</p>
<p>${escape(rollout.StatusReason)}</p><table><tbody>${row("started (UTC)", utc(rollout.StartedAt))}${row("ended (UTC)", utc(rollout.EndedAt))}</tbody></table>${arms}
<h2>Decisions</h2><ol>${items(rollout.Decisions, (d) => `${utc(d.At)} ${weight(d.FromPercent)} → ${weight(d.ToPercent)}: ${d.Reason}`)}</ol>
<h2>Shifts</h2><ol>${items(rollout.Shifts, (s) => `${utc(s.DecidedAt)} ${s.Change} to ${weight(s.Percent)}`)}</ol>
<details><summary>The whole record</summary><pre>${escape(JSON.stringify(rollout, null, 2))}</pre></details></html>`;
}
