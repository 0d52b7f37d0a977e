// Alarms as they stand, and what they did.
import { call, command } from "./calls.js";
import { el } from "./dom.js";
import { alarmState, time } from "./words.js";

const LOOK_MS = 3000;
const seconds = (at) => (typeof at === "number" ? at : Date.parse(at) / 1000);

export function alarmsPage(place) {
  const said = el("p", { role: "status" }, "Asking the server…"), shown = el("pre", { tabindex: "0", role: "group", "aria-label": "Command" });
  const rows = el("tbody", {}), past = el("section", {});
  const head = (...words) => el("thead", {}, el("tr", {}, words.map((word) => el("th", { scope: "col", class: word === "Why" ? "why" : null }, word))));
  const scroll = (label, ...inner) => el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, el("table", { class: "even" }, inner));
  const rest = el("div", { hidden: true }, scroll("Alarms", head("Alarm", "State", "Since", "Why"), rows), el("details", {}, el("summary", {}, "The same from the command line"), shown), past);
  place.replaceChildren(el("h1", {}, "Alarms"), said, rest);
  let before = "";

  async function history(name) {
    const input = { AlarmName: name, MaxRecords: 50 };
    const { AlarmHistoryItems: items } = await call("cloudwatch", "DescribeAlarmHistory", input);
    past.replaceChildren(el("h2", {}, `What ${name} did`), el("ol", { class: "record" }, (items ?? []).map((item) => el("li", {}, time(seconds(item.Timestamp)), ` ${item.HistorySummary}`))));
    shown.textContent = await command("cloudwatch", "DescribeAlarmHistory", input);
  }

  async function look() {
    if (document.hidden) return;
    const { MetricAlarms: metric, CompositeAlarms: composite } = await call("cloudwatch", "DescribeAlarms", { AlarmTypes: ["MetricAlarm", "CompositeAlarm"] });
    const all = [...(metric ?? []), ...(composite ?? [])];
    const now = JSON.stringify(all.map((alarm) => [alarm.AlarmName, alarm.StateValue, alarm.StateUpdatedTimestamp]));
    if (now === before) return;
    before = now;
    const firing = all.filter((alarm) => alarm.StateValue === "ALARM").length;
    said.textContent = all.length ? `${all.length} alarm${all.length === 1 ? "" : "s"}, ${firing} in ALARM.` : "No alarm yet: aws cloudwatch put-metric-alarm --alarm-name NAME …";
    rows.replaceChildren(...all.map((alarm) => el("tr", {}, el("th", { scope: "row" }, el("button", { type: "button", onclick: () => history(alarm.AlarmName).catch(failed) }, alarm.AlarmName)),
        el("td", {}, alarmState(alarm.StateValue)), el("td", {}, time(seconds(alarm.StateUpdatedTimestamp))), el("td", { class: "why" }, el("div", { class: "reason" }, alarm.StateReason)))));
    rest.hidden = false;
  }

  const failed = (error) => { said.textContent = error.message; };
  command("cloudwatch", "DescribeAlarms").then((words) => (shown.textContent = words), () => {});
  look().catch(failed);
  const timer = setInterval(() => look().catch(failed), LOOK_MS);
  return () => clearInterval(timer);
}
