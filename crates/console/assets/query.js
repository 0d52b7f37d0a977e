// Logs Insights: a query, its rows as they come, and a chart where they are counted by time.
import { call, command } from "./calls.js";
import { chart } from "./chart.js";
import { el } from "./dom.js";

const START = "fields @timestamp, @message\n| sort @timestamp desc\n| limit 50";
const RANGES = [[900, "15 minutes"], [3600, "1 hour"], [10800, "3 hours"], [86400, "1 day"], [604800, "1 week"]];
const ASK_MS = 250;
const isTime = (name) => name.startsWith("bin(") || name === "@timestamp";
// As Insights writes times: UTC, without saying so.
const seconds = (text) => Date.parse(`${text.replace(" ", "T")}Z`) / 1000;

export function queryPage(place) {
  const groups = el("select", { id: "group", required: true }), range = el("select", {}, RANGES.map(([value, words]) => el("option", { value, selected: value === 3600 }, words)));
  const text = el("textarea", { rows: 5, spellcheck: "false", id: "query" }), go = el("button", { class: "go" }, "Run"), stop = el("button", { type: "button", disabled: true }, "Stop");
  const said = el("p", { role: "status" }, "Asking the server…"), drawn = el("div", {}), rows = el("div", {}), shown = el("pre", { tabindex: "0", role: "group", "aria-label": "Command" }, "aws logs start-query");
  text.value = START;
  let turn = 0, running = null;

  function draw(results, statistics, status) {
    const lines = results.map((fields) => Object.fromEntries(fields.map(({ field, value }) => [field, value])));
    const names = [...new Set(results.flatMap((fields) => fields.map(({ field }) => field)))].filter((name) => name !== "@ptr");
    const when = names.find((name) => name.startsWith("bin(")), counted = names.filter((name) => !isTime(name) && lines.every((line) => line[name] === undefined || Number.isFinite(Number(line[name]))));
    // One line for each number, or for each value of the one other column.
    const other = names.filter((name) => name !== when && !counted.includes(name));
    drawn.replaceChildren();
    if (when && counted.length && other.length < 2 && lines.length) {
      const series = new Map();
      for (const line of [...lines].sort((a, b) => seconds(a[when]) - seconds(b[when]))) {
        for (const name of counted) {
          if (line[name] === undefined) continue;
          const key = other.length ? `${line[other[0]]}${counted.length > 1 ? `, ${name}` : ""}` : name;
          if (!series.has(key)) series.set(key, []);
          series.get(key).push([seconds(line[when]), Number(line[name])]);
        }
      }
      const times = lines.map((line) => seconds(line[when])), from = Math.min(...times), to = Math.max(...times);
      drawn.replaceChildren(chart({ series: [...series].slice(0, 6).map(([name, points]) => ({ name, points })), from, to: to > from ? to : from + 60, label: `${counted.join(", ")} by time` }));
    }
    rows.replaceChildren(lines.length ? el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Results" }, el("table", {}, el("thead", {}, el("tr", {}, names.map((name) => el("th", { scope: "col" }, name)))),
      el("tbody", {}, lines.map((line) => el("tr", {}, names.map((name) => el("td", {}, isTime(name) && line[name] ? el("time", { datetime: `${line[name].replace(" ", "T")}Z`, title: `${line[name]} (UTC)` }, new Date(seconds(line[name]) * 1000).toLocaleString()) : line[name] ?? ""))))))) : "");
    const { recordsMatched: matched = 0, recordsScanned: scanned = 0 } = statistics ?? {};
    said.textContent = `${status}: ${lines.length} rows; ${matched} of ${scanned} events matched.`;
  }

  async function run(event) {
    event.preventDefault();
    const mine = ++turn, now = Math.floor(Date.now() / 1000);
    if (running) end();
    const input = { logGroupName: groups.value, startTime: now - Number(range.value), endTime: now + 1, queryString: text.value };
    said.textContent = "Running…";
    command("logs", "StartQuery", input).then((words) => (shown.textContent = words), () => {});
    try {
      const { queryId } = await call("logs", "StartQuery", input);
      if (mine !== turn) return;
      running = queryId;
      stop.disabled = false;
      for (;;) {
        const { status, results, statistics } = await call("logs", "GetQueryResults", { queryId });
        if (mine !== turn) return;
        draw(results ?? [], statistics, status);
        if (status !== "Running" && status !== "Scheduled") break;
        await new Promise((done) => setTimeout(done, ASK_MS));
      }
    } catch (error) {
      if (mine === turn) said.textContent = `✘ ${error.message}`;
    }
    if (mine !== turn) return;
    running = null;
    stop.disabled = true;
  }
  const end = () => { const queryId = running; running = null; stop.disabled = true; if (queryId) call("logs", "StopQuery", { queryId }).catch(() => {}); };

  stop.addEventListener("click", () => { turn += 1; end(); said.textContent = "Stopped."; });
  place.replaceChildren(el("h1", {}, "Query logs"),
    el("form", { class: "form", onsubmit: run }, el("label", {}, "Log group ", groups), el("label", {}, "Time ", range), el("label", { class: "wide" }, "Query (CloudWatch Logs Insights) ", text), go, stop),
    said, el("details", {}, el("summary", {}, "The same from the command line"), shown), drawn, rows);
  call("logs", "DescribeLogGroups").then(({ logGroups }) => {
    groups.append(...(logGroups ?? []).map(({ logGroupName: name }) => el("option", { value: name }, name)));
    said.textContent = logGroups?.length ? "For a chart, count by time: stats count(*) by bin(1m)" : "No log group yet. Functions make theirs when they are invoked first: aws lambda invoke --function-name NAME /dev/stdout";
  }, (error) => (said.textContent = error.message));
  return () => { turn += 1; end(); };
}
