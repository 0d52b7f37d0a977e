// APIs with their stages, canaries and routes; and a request to try one with, sent as anybody would send it.
import { call, command } from "./calls.js";
import { el } from "./dom.js";
import { table, weight } from "./words.js";

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
const ANSWER_MAX = 100000;
const address = (id) => `/_pitbird/apis/${encodeURIComponent(id)}`;

async function pages(service, operation, input, items, token, tokenIn = token) {
  const all = [];
  let next;
  do {
    const page = await call(service, operation, next ? { ...input, [tokenIn]: next } : input);
    all.push(...(page[items] ?? []));
    next = page[token];
  } while (next && all.length < 5000);
  return all;
}

const rest = () => pages("apigateway", "GetRestApis", { limit: 500 }, "items", "position");
const http = () => pages("apigatewayv2", "GetApis", {}, "Items", "NextToken");

async function list() {
  const [ofRest, ofHttp] = await Promise.all([rest(), http()]);
  return [...ofRest.map((api) => ({ id: api.id, name: api.name, kind: "REST", says: api.description })),
    ...ofHttp.map((api) => ({ id: api.ApiId, name: api.Name, kind: api.ProtocolType, says: api.Description }))];
}

function integration(method) {
  const { type, uri } = method.methodIntegration ?? {};
  return type ? `${type}${uri ? ` ${uri.match(/functions\/(.*)\/invocations$/)?.[1] ?? uri}` : ""}` : "none";
}

// Stages and routes of either kind, in the same words.
async function parts({ id, kind }) {
  if (kind === "REST") {
    const [stages, resources] = await Promise.all([call("apigateway", "GetStages", { restApiId: id }), pages("apigateway", "GetResources", { restApiId: id, embed: ["methods"], limit: 500 }, "items", "position")]);
    return {
      stages: (stages.item ?? []).map((stage) => ({ name: stage.stageName, deployment: stage.deploymentId, canary: stage.canarySettings, variables: stage.variables })),
      routes: resources.flatMap((resource) => Object.entries(resource.resourceMethods ?? {}).map(([verb, method]) => ({ verb, path: resource.path, to: integration(method), who: method.apiKeyRequired ? `${method.authorizationType}, API key` : method.authorizationType }))),
    };
  }
  const [stages, routes] = await Promise.all([pages("apigatewayv2", "GetStages", { ApiId: id }, "Items", "NextToken"), pages("apigatewayv2", "GetRoutes", { ApiId: id }, "Items", "NextToken")]);
  return {
    stages: stages.map((stage) => ({ name: stage.StageName, deployment: stage.DeploymentId ?? (stage.AutoDeploy ? "by itself" : "–"), variables: stage.StageVariables })),
    routes: routes.map(({ RouteKey: key, Target: to, AuthorizationType: who }) => {
      const [verb, path] = key === "$default" ? ["ANY", "$default"] : key.split(" ");
      return { verb, path, to, who };
    }),
  };
}

const commands = (all) => el("details", {}, el("summary", {}, "The same from the command line"), all.map(([service, operation, input]) => {
  const shown = el("pre", { tabindex: "0", role: "group", "aria-label": "Command" }, "…");
  command(service, operation, input).then((words) => (shown.textContent = words), (error) => (shown.textContent = error.message));
  return shown;
}));

function canary({ canary }) {
  if (!canary?.deploymentId) return "none";
  const overrides = Object.entries(canary.stageVariableOverrides ?? {}).map(([name, value]) => `${name}=${value}`);
  return el("span", {}, el("b", {}, weight(canary.percentTraffic)), ` to deployment ${[canary.deploymentId, ...overrides].join(", ")}`);
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

function tryOut(id, stages, routes) {
  const stage = el("select", { id: "stage", required: true }, stages.map(({ name }) => el("option", { value: name }, name)));
  const verb = el("select", { id: "verb" }, METHODS.map((name) => el("option", {}, name)));
  const path = el("input", { id: "path", value: routes.find(({ path }) => path.startsWith("/"))?.path ?? "/", spellcheck: "false", autocomplete: "off", required: true });
  const headers = el("textarea", { rows: 2, spellcheck: "false", placeholder: "X-Api-Key: …" }), body = el("textarea", { rows: 4, spellcheck: "false" });
  const answer = el("pre", { tabindex: "0", role: "group", "aria-label": "Answer" }, "Nothing sent yet."), shown = el("pre", { class: "shown", tabindex: "0", role: "group", "aria-label": "Command" }, "curl"), go = el("button", { class: "go" }, "Send");
  async function send(event) {
    event.preventDefault();
    const lines = headers.value.split("\n").map((line) => line.trim()).filter(Boolean);
    const stageOf = stage.value === "$default" ? "" : `/${encodeURIComponent(stage.value)}`;
    const url = `${location.origin}/_aws/execute-api/${encodeURIComponent(id)}${stageOf || "/$default"}/${path.value.replace(/^\//, "")}`;
    const hasBody = body.value && verb.value !== "GET" && verb.value !== "HEAD";
    shown.textContent = ["curl -i", verb.value !== "GET" && `-X ${verb.value}`, ...lines.map((line) => `-H ${quoted(line)}`), hasBody && `-d ${quoted(body.value)}`, quoted(url)].filter(Boolean).join(" ");
    go.disabled = true;
    answer.textContent = "Sent…";
    const began = performance.now();
    try {
      const pairs = lines.map((line) => [line.slice(0, line.indexOf(":")).trim(), line.slice(line.indexOf(":") + 1).trim()]);
      // Nobody's cookies, no kept answers: as from the command line.
      const found = await fetch(url, { method: verb.value, headers: pairs, credentials: "omit", cache: "no-store", redirect: "manual", referrerPolicy: "no-referrer", ...(hasBody && { body: body.value }) });
      const said = await found.text(), took = Math.round(performance.now() - began);
      if (found.type === "opaqueredirect") answer.textContent = `→ a redirect, ${took} ms; where to, only the command line sees`;
      else answer.textContent = `${found.ok ? "✔" : "✘"} ${found.status} ${found.statusText}, ${took} ms\n${[...found.headers].map(([name, value]) => `${name}: ${value}`).join("\n")}\n\n${said.slice(0, ANSWER_MAX)}${said.length > ANSWER_MAX ? "\n… cut" : ""}`;
    } catch (error) {
      answer.textContent = `✘ ${error.message}`;
    }
    go.disabled = false;
  }
  if (!stages.length) return el("p", {}, `No stage yet: aws apigateway create-deployment --rest-api-id ${id} --stage-name prod`);
  return el("section", {}, el("h2", {}, "Try a request"), el("p", { class: "small" }, "It goes through the stage like anybody's, and counts: canary, authorizers, throttles and all."),
    el("form", { class: "form", onsubmit: send }, el("label", {}, "Stage ", stage), el("label", {}, "Method ", verb), el("label", {}, "Path ", path), el("label", { class: "wide" }, "Headers, one on a line ", headers), el("label", { class: "wide" }, "Body ", body), go),
    el("h3", {}, "The same from the command line"), shown, el("h3", {}, "Answer"), answer);
}

async function one(place, id) {
  const api = (await list()).find((it) => it.id === id);
  if (!api) { place.replaceChildren(el("h1", {}, id), el("p", {}, "There is no API of this id here. ", el("a", { href: "/_pitbird/apis" }, "All APIs"))); return; }
  const { stages, routes } = await parts(api), isRest = api.kind === "REST";
  const host = (name) => `${location.protocol}//${id}.execute-api.${location.hostname === "127.0.0.1" ? "localhost" : location.hostname}${location.port && `:${location.port}`}/${name === "$default" ? "" : name}`;
  place.replaceChildren(el("h1", {}, api.name ?? id), el("p", { class: "subject" }, `${api.kind} API ${id}${api.says ? `, ${api.says}` : ""}`),
    el("h2", {}, "Stages"), table("Stages", ["Stage", "Deployment", "Canary", "Variables", "Address"], stages.map((stage) => [stage.name, stage.deployment, canary(stage), Object.entries(stage.variables ?? {}).map(([name, value]) => `${name}=${value}`).join(", ") || "none", host(stage.name)])),
    el("h2", {}, "Routes"), el("p", { class: "small" }, isRest ? "As they are written now; a stage serves those of its deployment." : ""),
    routes.length ? table("Routes", ["Method", "Path", "Integration", "Who may"], routes.map(({ verb, path, to, who }) => [verb, path, to, who])) : el("p", {}, "No route yet."),
    commands(isRest ? [["apigateway", "GetStages", { restApiId: id }], ["apigateway", "GetResources", { restApiId: id, embed: ["methods"] }]] : [["apigatewayv2", "GetStages", { ApiId: id }], ["apigatewayv2", "GetRoutes", { ApiId: id }]]),
    tryOut(id, stages, routes));
}

export function apisPage(place, name) {
  const said = el("p", { role: "status" }, "Asking the server…");
  place.replaceChildren(el("h1", {}, name ?? "APIs"), said);
  const failed = (error) => (said.textContent = error.message);
  if (name) { one(place, name).catch(failed); return null; }
  list().then((all) => {
    said.textContent = all.length ? `${all.length} API${all.length === 1 ? "" : "s"}.` : "No API yet: aws apigateway create-rest-api --name NAME, or pitbird demo brings one.";
    if (all.length) place.append(table("APIs", ["Name", "Id", "Kind", "Description"], all.map((api) => [el("a", { href: address(api.id) }, api.name ?? api.id), api.id, api.kind, api.says ?? ""])));
    place.append(commands([["apigateway", "GetRestApis", {}], ["apigatewayv2", "GetApis", {}]]));
  }, failed);
  return null;
}
