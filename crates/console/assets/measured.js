// What CloudWatch says of both arms: latency and throttles in the newest minute that has any, and alarms.
import { call } from "./calls.js";
import { live } from "./live.js";
import { isOver } from "./words.js";

const LOOK_S = 5;
const STATS = ["p50", "p95", "p99"];
const held = new Map();
const apis = new Map();

async function apiName(id) {
  if (!apis.has(id)) apis.set(id, (await call("apigateway", "GetRestApi", { restApiId: id })).name);
  return apis.get(id);
}

// Where the metrics of both arms are. A stage's own metrics have both arms together, as on AWS; an alias has one set for each version.
async function places(rollout) {
  const { RestStage: stage, LambdaAlias: alias, LambdaAliases: aliases } = rollout.Target;
  if (stage) {
    const api = { Name: "ApiName", Value: await apiName(stage.RestApiId) };
    const of = (name) => [api, { Name: "Stage", Value: name }];
    return { namespace: "AWS/ApiGateway", latency: "Latency", titles: ["base and canary together", "canary"], sets: [{ of: "", arms: [of(stage.StageName), of(`${stage.StageName}/Canary`)] }] };
  }
  const set = (alias, of, versions) => ({ of, arms: versions.map((version) => [{ Name: "FunctionName", Value: alias.FunctionName }, { Name: "Resource", Value: `${alias.FunctionName}:${alias.AliasName}` }, { Name: "ExecutedVersion", Value: version }]) });
  const each = [rollout.Base.FunctionVersions, rollout.Canary.FunctionVersions];
  const sets = alias ? [set(alias, "", [rollout.Base.FunctionVersion, rollout.Canary.FunctionVersion])]
    : aliases.map((it) => set(it, `${it.FunctionName}: `, each.map((versions) => versions[it.FunctionName])));
  return { namespace: "AWS/Lambda", latency: "Duration", throttles: "Throttles", titles: ["base", "canary"], sets };
}

// What is measured is known before its values are: its rows have their place from the first on.
function outline(rollout) {
  const { RestStage: stage, LambdaAliases: aliases } = rollout.Target ?? {};
  const names = stage ? STATS.map((stat) => `latency ${stat}`) : [...STATS.map((stat) => `duration ${stat}`), "throttles"];
  const sets = aliases ? aliases.map((it) => `${it.FunctionName}: `) : [""];
  const rows = sets.flatMap((of) => names.map((name) => ({ name: of + name, values: [null, null] })));
  return { titles: stage ? ["base and canary together", "canary"] : ["base", "canary"], rows };
}

async function look(rollout) {
  const { namespace, latency, throttles, titles, sets } = await places(rollout);
  const asked = [...STATS.map((stat) => [latency, stat]), ...(throttles ? [[throttles, "Sum"]] : [])];
  const queries = sets.flatMap(({ arms }, set) => arms.flatMap((dimensions, arm) => asked.map(([metric, stat], at) => ({ Id: `q${set}x${arm}x${at}`, MetricStat: { Metric: { Namespace: namespace, MetricName: metric, Dimensions: dimensions }, Period: 60, Stat: stat } }))));
  const until = Math.ceil((rollout.EndedAt ?? live.now()) / 60) * 60;
  const input = { MetricDataQueries: queries, StartTime: until - 600, EndTime: until, ScanBy: "TimestampDescending" };
  const { MetricDataResults: found } = await call("cloudwatch", "GetMetricData", input);
  const value = (set, arm, at) => found.find((it) => it.Id === `q${set}x${arm}x${at}`)?.Values?.[0];
  return { titles, rows: sets.flatMap(({ of }, set) => asked.map(([metric, stat], at) => ({ name: of + (stat === "Sum" ? metric.toLowerCase() : `${metric.toLowerCase()} ${stat}`), isCount: stat === "Sum", values: [value(set, 0, at), value(set, 1, at)] }))) };
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

// The newest that is known; asks again now and then while the release goes on.
export function measured(rollout) {
  const key = `${rollout.Name}@${rollout.StartedAt}@${isOver(rollout)}`;
  const known = held.get(key) ?? { at: 0, found: null };
  const isDue = known.at === 0 || (!isOver(rollout) && live.now() - known.at > LOOK_S);
  if (isDue && rollout.Target) {
    known.at = live.now();
    held.set(key, known);
    look(rollout).then((found) => {
      known.found = found;
      live.dispatchEvent(new Event("change"));
    }, () => {});
  }
  return known.found ?? outline(rollout);
}
