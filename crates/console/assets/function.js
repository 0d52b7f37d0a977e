// One function: its versions, its aliases with their weights, and how much of it may run and runs at the same time.
import { call, command } from "./calls.js";
import { el } from "./dom.js";
import { count, table, time, weight } from "./words.js";

async function all(operation, input, items) {
  const found = [];
  let marker;
  do {
    const page = await call("lambda", operation, marker ? { ...input, Marker: marker } : input);
    found.push(...(page[items] ?? []));
    marker = page.NextMarker;
  } while (marker && found.length < 2000);
  return found;
}

// `version 1: 90 %, version 2: 10 %`
function routing({ FunctionVersion: version, RoutingConfig: routing }) {
  const others = Object.entries(routing?.AdditionalVersionWeights ?? {});
  const left = 1 - others.reduce((sum, [, share]) => sum + share, 0);
  return [[version, left], ...others].map(([name, share]) => `version ${name}: ${weight(share * 100)}`).join(", ");
}

// The most that ran at the same time, in the newest minute that has a value.
async function running(name) {
  const until = Math.ceil(Date.now() / 60000) * 60;
  const { MetricDataResults: [found] } = await call("cloudwatch", "GetMetricData", { StartTime: until - 600, EndTime: until, ScanBy: "TimestampDescending",
    MetricDataQueries: [{ Id: "m", MetricStat: { Metric: { Namespace: "AWS/Lambda", MetricName: "ConcurrentExecutions", Dimensions: [{ Name: "FunctionName", Value: name }] }, Period: 60, Stat: "Maximum" } }] });
  return found?.Values?.[0];
}

export async function functionParts(place, name) {
  const of = { FunctionName: name };
  const [versions, aliases, reserved, provisioned, most, { Environments: alive }] = await Promise.all([all("ListVersionsByFunction", of, "Versions"), all("ListAliases", of, "Aliases"), call("lambda", "GetFunctionConcurrency", of), all("ListProvisionedConcurrencyConfigs", of, "ProvisionedConcurrencyConfigs"), running(name), call("usage", "ListEnvironments", of)]);
  const shown = el("pre", { tabindex: "0", role: "group", "aria-label": "Command" }, "…");
  const commands = ["ListVersionsByFunction", "ListAliases", "GetFunctionConcurrency", "ListProvisionedConcurrencyConfigs"].map((operation) => command("lambda", operation, of));
  commands.push(command("usage", "ListEnvironments", of));
  Promise.all(commands).then((words) => (shown.textContent = words.join("\n")), (error) => (shown.textContent = error.message));
  place.replaceChildren(
    el("h2", {}, "Versions"), table("Versions", ["Version", "Runtime", "Memory", "Changed", "Description"], versions.map((it) => [it.Version, it.Runtime ?? it.PackageType, `${it.MemorySize}\u00a0MB`, time(Date.parse(it.LastModified.replace(/(\d\d)(\d\d)$/, "$1:$2")) / 1000), it.Description ?? ""]).reverse()),
    el("h2", {}, "Aliases"), aliases.length ? table("Aliases", ["Alias", "Routes to", "Description"], aliases.map((it) => [it.Name, routing(it), it.Description ?? ""])) : el("p", {}, `No alias yet: aws lambda create-alias --function-name ${name} --name live --function-version 1`),
    el("h2", {}, "Concurrency"), table("Concurrency", ["What", "Environments"], [
      ...(alive.length ? alive.map((it) => [`alive, version ${it.Version}`, `${count(it.Alive)}, of which ${count(it.Idle)} idle${it.Starting ? `, and ${count(it.Starting)} starting` : ""}`]) : [["alive", "none"]]),
      ["at work at the same time at most, in the newest minute", count(most)], ["reserved", reserved.ReservedConcurrentExecutions === undefined || reserved.ReservedConcurrentExecutions === null ? "none; the account's bound holds" : count(reserved.ReservedConcurrentExecutions)],
      ...provisioned.map((it) => [`provisioned for ${it.FunctionArn.split(":").pop()}`, `${count(it.AvailableProvisionedConcurrentExecutions)} ready of ${count(it.RequestedProvisionedConcurrentExecutions)}, ${it.Status}`])]),
    el("details", {}, el("summary", {}, "The same from the command line"), shown));
}
