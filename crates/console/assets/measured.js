// What was measured of both arms, each in the newest minute that has any of it; and alarms as they stand.
import { asked, call } from "./calls.js";
import { live } from "./live.js";
import { count, isOver, minute, ms } from "./words.js";

const LOOK_S = 5;
const held = new Map();

// What is measured is known before its values are: its rows have their place from the first on.
function rows(rollout, { measures, pairs }) {
  const { RestStage: stage, LambdaAliases: aliases } = rollout.Target ?? {};
  const [requests, latency] = stage ? ["requests", "latency"] : ["invocations", "duration"];
  const wanted = [["minute from", "Minute", minute], [requests, "Requests", count], ...["p50", "p95", "p99"].map((stat) => [`${latency} ${stat}`, `Latency${stat.toUpperCase()}`, ms]), ...(stage ? [] : [["throttles", "Throttles", count]])];
  const newest = pairs?.at(-1);
  const paired = !rollout.Evidence?.Pairs ? [] : [["pairs, minute from", minute(newest?.Minute), minute(newest?.Minute)],
    ["answered by both", count(newest?.Requests), count(newest?.Requests)], ["failed by one alone", count(newest?.BaseAlone), count(newest?.CanaryAlone)]];
  return [...(aliases ?? [{}]).flatMap(({ FunctionName: name }) => {
    const arms = measures?.find((it) => it.FunctionName === name) ?? {};
    return wanted.map(([words, member, shown]) => [name ? `${name}: ${words}` : words, shown(arms.Base?.[member]), shown(arms.Canary?.[member])]);
  }), ...paired];
}

// States of a release's alarms by their names; what was last known while it is asked again.
const stood = new Map();
export function alarms(rollout) {
  const key = `${rollout.Name}@${rollout.StartedAt}`, known = stood.get(key) ?? { at: 0, found: null };
  if (live.now() - known.at > LOOK_S) {
    known.at = live.now();
    stood.set(key, known);
    call("cloudwatch", "DescribeAlarms", { AlarmNames: rollout.Alarms, AlarmTypes: ["MetricAlarm", "CompositeAlarm"] }).then(({ MetricAlarms: metric, CompositeAlarms: composite }) => {
      known.found = new Map([...(metric ?? []), ...(composite ?? [])].map((it) => [it.AlarmName, it.StateValue]));
      live.dispatchEvent(new Event("change"));
    }, () => {});
  }
  return known.found;
}

// The newest that is known, in rows, and the command that says it; asks again now and then while the release goes on.
export function measured(rollout) {
  const key = `${rollout.Name}@${rollout.StartedAt}`;
  const known = held.get(key) ?? { at: 0, isLast: false, measures: null, pairs: null, command: "…" };
  if (!known.isLast && live.now() - known.at > LOOK_S) {
    Object.assign(known, { at: live.now(), isLast: isOver(rollout) });
    held.set(key, known);
    asked("rollouts", "GetRolloutMeasures", { Name: rollout.Name }).then(({ output, command }) => {
      Object.assign(known, { measures: output.Measures, pairs: output.Pairs, command });
      live.dispatchEvent(new Event("change"));
    }, () => {});
  }
  return { rows: rows(rollout, known), command: known.command };
}
