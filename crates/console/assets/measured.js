// What CloudWatch's metrics say of both arms in the newest minute that has any: latency and throttles.
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
  const { RestStage: stage, LambdaAlias: alias } = rollout.Target;
  if (stage) {
    const api = { Name: "ApiName", Value: await apiName(stage.RestApiId) };
    const of = (name) => [api, { Name: "Stage", Value: name }];
    return { namespace: "AWS/ApiGateway", latency: "Latency", titles: ["base and canary together", "canary"], arms: [of(stage.StageName), of(`${stage.StageName}/Canary`)] };
  }
  const of = (version) => [{ Name: "FunctionName", Value: alias.FunctionName }, { Name: "Resource", Value: `${alias.FunctionName}:${alias.AliasName}` }, { Name: "ExecutedVersion", Value: version }];
  return { namespace: "AWS/Lambda", latency: "Duration", throttles: "Throttles", titles: ["base", "canary"], arms: [of(rollout.Base.FunctionVersion), of(rollout.Canary.FunctionVersion)] };
}

async function look(rollout) {
  const { namespace, latency, throttles, titles, arms } = await places(rollout);
  const asked = [...STATS.map((stat) => [latency, stat]), ...(throttles ? [[throttles, "Sum"]] : [])];
  const queries = arms.flatMap((dimensions, arm) => asked.map(([metric, stat], at) => ({ Id: `q${arm}x${at}`, MetricStat: { Metric: { Namespace: namespace, MetricName: metric, Dimensions: dimensions }, Period: 60, Stat: stat } })));
  const until = Math.ceil((rollout.EndedAt ?? live.now()) / 60) * 60;
  const input = { MetricDataQueries: queries, StartTime: until - 600, EndTime: until, ScanBy: "TimestampDescending" };
  const { MetricDataResults: found } = await call("cloudwatch", "GetMetricData", input);
  const value = (arm, at) => found.find((it) => it.Id === `q${arm}x${at}`)?.Values?.[0];
  return { titles, rows: asked.map(([metric, stat], at) => ({ name: stat === "Sum" ? metric.toLowerCase() : `${metric.toLowerCase()} ${stat}`, isCount: stat === "Sum", values: [value(0, at), value(1, at)] })) };
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
  return known.found;
}
