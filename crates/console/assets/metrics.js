// Metrics of CloudWatch: choose, look, stop it, zoom.
import { call, command } from "./calls.js";
import { chart } from "./chart.js";
import { el } from "./dom.js";

const RANGES = [[900, "15 minutes"], [3600, "1 hour"], [10800, "3 hours"], [86400, "1 day"], [604800, "1 week"]];
const STATS = ["Average", "Sum", "Maximum", "Minimum", "SampleCount", "p50", "p90", "p95", "p99"];
const PERIODS = [60, 300, 900, 3600, 21600];
const SERIES_MAX = 6, POINTS_MAX = 360, LOOK_MS = 5000;
const unique = (all) => [...new Set(all)].sort();
const words = (dimensions) => dimensions.map(({ Name, Value }) => `${Name}=${Value}`).join(", ") || "no dimensions";
const options = (place, all, chosen) => place.replaceChildren(...all.map(([value, text]) => el("option", { value, selected: value === chosen }, text)));

export function metricsPage(place) {
  const said = el("p", { role: "status" }, "Asking the server…"), shown = el("pre", { tabindex: "0", role: "group", "aria-label": "Command" }, "aws cloudwatch list-metrics");
  const [namespace, metric, dimensions, stat, range] = ["namespace", "metric", "dimensions", "stat", "range"].map((id) => el("select", { id }));
  const drawn = el("div", {}), hold = el("button", { type: "button", "aria-pressed": "false" }, "Pause");
  const out = el("button", { type: "button", disabled: true }, "Zoom out"), near = el("button", { type: "button" }, "Zoom in");
  let all = [], zoom = null, isHeld = false, turn = 0;

  const ofMetric = () => all.filter((it) => it.Namespace === namespace.value && it.MetricName === metric.value).map((it) => it.Dimensions ?? []);
  function choose(from) {
    if (from === "namespace") options(metric, unique(all.filter((it) => it.Namespace === namespace.value).map((it) => it.MetricName)).map((name) => [name, name]), ["Count", "Invocations"].find((name) => all.some((it) => it.Namespace === namespace.value && it.MetricName === name)));
    if (from !== "dimensions") {
      const sets = ofMetric().map((set, index) => [String(index), words(set)]).sort((a, b) => a[1].localeCompare(b[1]));
      options(dimensions, [...(sets.length > 1 ? [["", `the first ${Math.min(SERIES_MAX, sets.length)} of ${sets.length}`]] : []), ...sets]);
    }
    zoom = null;
    look();
  }
  function span() {
    const until = Math.ceil(Date.now() / 60000) * 60;
    return zoom ?? [until - Number(range.value), until];
  }
  async function look() {
    const mine = ++turn, [from, to] = span(), sets = ofMetric();
    out.disabled = zoom === null;
    if (!sets.length) return;
    const wanted = dimensions.value === "" ? sets.slice(0, SERIES_MAX) : [sets[Number(dimensions.value)]];
    const period = PERIODS.find((seconds) => (to - from) / seconds <= POINTS_MAX) ?? 86400;
    const input = { StartTime: Math.floor(from / period) * period, EndTime: Math.ceil(to / period) * period, ScanBy: "TimestampAscending",
      MetricDataQueries: wanted.map((set, index) => ({ Id: `m${index}`, MetricStat: { Metric: { Namespace: namespace.value, MetricName: metric.value, Dimensions: set }, Period: period, Stat: stat.value } })) };
    const found = await call("cloudwatch", "GetMetricData", input).catch((error) => { said.textContent = error.message; });
    if (!found || mine !== turn) return;
    const series = wanted.map((set, index) => {
      const { Timestamps: times = [], Values: values = [] } = found.MetricDataResults.find(({ Id }) => Id === `m${index}`) ?? {};
      return { name: words(set), points: times.map((at, nth) => [typeof at === "number" ? at : Date.parse(at) / 1000, values[nth]]) };
    });
    // Whoever reads values goes on reading them: what he looks at isn't taken from under his pointer.
    if (drawn.matches(":hover, :focus-within") && drawn.firstChild && drawn.dataset.of === JSON.stringify([input.MetricDataQueries, zoom])) return;
    drawn.dataset.of = JSON.stringify([input.MetricDataQueries, zoom]);
    drawn.replaceChildren(chart({ series, from: input.StartTime, to: input.EndTime, label: `${namespace.value} ${metric.value}, ${stat.value}`, onzoom: (left, right) => {
      zoom = [Math.floor(left / 60) * 60, Math.max(Math.ceil(right / 60) * 60, Math.floor(left / 60) * 60 + 120)];
      look();
    } }));
    said.textContent = `${metric.value}: ${stat.value} of each ${period < 3600 ? `${period / 60} min` : `${period / 3600} h`}${isHeld ? "; paused" : zoom ? "; a part" : ""}.`;
    command("cloudwatch", "GetMetricData", input).then((text) => (shown.textContent = text), () => {});
  }

  namespace.addEventListener("change", () => choose("namespace"));
  metric.addEventListener("change", () => choose("metric"));
  for (const other of [dimensions, stat, range]) other.addEventListener("change", () => choose("dimensions"));
  near.addEventListener("click", () => { const [from, to] = span(), quarter = (to - from) / 4; zoom = to - from > 240 ? [from + quarter, to - quarter] : [from, to]; look(); });
  out.addEventListener("click", () => { zoom = null; look(); });
  hold.addEventListener("click", () => {
    isHeld = !isHeld;
    hold.setAttribute("aria-pressed", String(isHeld));
    hold.textContent = isHeld ? "Go on" : "Pause";
    look();
  });
  options(stat, STATS.map((name) => [name, name]), "Sum");
  options(range, RANGES.map(([seconds, text]) => [String(seconds), text]), "3600");
  place.replaceChildren(el("h1", {}, "Metrics"),
    el("form", { class: "form", onsubmit: (event) => event.preventDefault() }, el("label", {}, "Namespace ", namespace), el("label", {}, "Metric ", metric), el("label", {}, "Dimensions ", dimensions), el("label", {}, "Statistic ", stat), el("label", {}, "Time ", range)),
    el("div", { class: "buttons", role: "group", "aria-label": "Chart" }, hold, near, out), said, el("details", {}, el("summary", {}, "The same from the command line"), shown), drawn);

  (async () => {
    let token;
    do {
      const page = await call("cloudwatch", "ListMetrics", token ? { NextToken: token } : {});
      all.push(...(page.Metrics ?? []));
      token = page.NextToken;
    } while (token && all.length < 20000);
    const names = unique(all.map((it) => it.Namespace));
    if (!names.length) { said.textContent = "No metric yet: send a request to an API, invoke a function, or aws cloudwatch put-metric-data --namespace NAME …"; return; }
    options(namespace, names.map((name) => [name, name]), names.includes("AWS/ApiGateway") ? "AWS/ApiGateway" : names[0]);
    choose("namespace");
  })().catch((error) => (said.textContent = error.message));
  const timer = setInterval(() => { if (!isHeld && !zoom && !document.hidden) look(); }, LOOK_MS);
  return () => { clearInterval(timer); turn += 1; };
}
