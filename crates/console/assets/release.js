// One release: what is configured and measured, base beside canary, evidence, steps, what comes next; or, once ended, its record.
import { call, command } from "./calls.js";
import { el, svg } from "./dom.js";
import { live } from "./live.js";
import { alarms, measured } from "./measured.js";
import { download, report } from "./report.js";
import { alarmState, count, duration, isOver, ms, percent, state, target, time, version, weight } from "./words.js";

const bar = (share, label, tone) => {
  const width = Math.round(Math.min(1, Math.max(0, share || 0)) * 1000) / 10;
  return svg("svg", { class: `bar ${tone}`, viewBox: "0 0 100 8", preserveAspectRatio: "none", role: "img", "aria-label": label },
    svg("rect", { class: "rail", width: 100, height: 8 }), svg("rect", { class: "fill", width, height: 8 }));
};

// What the canary is given, and what came.
export function split(rollout) {
  const { Base: base, Canary: canary } = rollout.Evidence ?? {};
  const all = (base?.Requests ?? 0) + (canary?.Requests ?? 0);
  const measured = all > 0 ? canary.Requests / all : null;
  return el("div", { class: "split" },
    el("p", { class: "share" }, el("b", {}, weight(rollout.Percent)), " of requests to the canary"),
    bar(rollout.Percent / 100, `configured: ${weight(rollout.Percent)} to the canary`, "canary"),
    el("p", { class: "small measured" }, `measured over the whole release: ${percent(measured, 1)} of ${count(all)} requests`,
      rollout.Evidence?.SplitBroken ? el("strong", { class: "bad" }, " ✘ traffic isn't split as configured") : null));
}

const VERDICTS = {
  Worse: ["✘", "the canary is worse", "bad"],
  NotWorse: ["✔", "the canary is not worse", "good"],
  Unknown: ["?", "not known yet", "going"],
};

// Evidence multiplies, so its logarithm is drawn: the bar is full where the verdict falls.
export function verdict(rollout) {
  const evidence = rollout.Evidence;
  if (!evidence) return null;
  const [sign, words, tone] = VERDICTS[evidence.Verdict] ?? VERDICTS.Unknown;
  const line = (name, log, threshold, tone) => {
    const grown = Math.exp(Math.min(Math.max(0, log), 20)), needed = Math.exp(threshold);
    const most = 10 * needed, said = `${grown > most ? "over " : ""}${count(Math.min(grown, most))} of ${count(needed)}`;
    return el("div", { class: "evidence" }, el("span", {}, name), bar(log / threshold, `${name}: evidence ${said}, drawn on a logarithmic scale`, tone), el("span", { class: "number" }, said));
  };
  return el("section", { class: "verdict" },
    el("p", { class: `said ${tone}` }, el("span", { class: "sign", "aria-hidden": "true" }, sign), ` ${words}`),
    line("worse", evidence.LogEWorse, evidence.ThresholdWorse, "bad"),
    line("not worse", evidence.LogENotWorse, evidence.ThresholdNotWorse, "good"));
}

export function nextStep(rollout) {
  if (isOver(rollout)) return rollout.StatusReason;
  const left = (at) => duration(at - live.now());
  if (rollout.Status === "Paused") return "Paused: nothing moves forward until somebody resumes it. A rollback needs nobody's permission.";
  if (rollout.GateUntil) return `At a gate: somebody has to let it go on within ${left(rollout.GateUntil)}; then it ends inconclusive.`;
  if (rollout.Phase === "Watching" && rollout.WaitUntil > live.now()) {
    const after = rollout.Steps?.[(rollout.StepIndex ?? 0) + 1];
    return `${after ? `${weight(after.Percent)} next` : "Promotion next"}, in ${left(rollout.WaitUntil)} at the earliest, if the evidence allows.`;
  }
  return rollout.StatusReason || rollout.Phase;
}

function steps(rollout) {
  const at = rollout.StepIndex, isPromoted = rollout.Status === "Promoted";
  return el("ol", { class: "steps", "aria-label": "Steps" }, (rollout.Steps ?? []).map((step, index) => {
    const isNow = !isOver(rollout) && index === at, isDone = isPromoted || (at !== null && index < at);
    const what = isNow ? "now" : isDone ? "done" : "to come";
    return el("li", { class: isNow ? "now" : isDone ? "done" : "", "aria-current": isNow ? "step" : null },
      el("span", { class: "sign", "aria-hidden": "true" }, isNow ? "▶" : isDone ? "✓" : "·"), el("span", { class: "weight" }, weight(step.Percent)),
      el("span", { class: "small" }, ` ${what}${step.WaitMs ? `, waits ${duration(step.WaitMs / 1000)}` : ""}${step.Gate ? ", ‖ gate" : ""}`));
  }));
}

const JUDGED = [0.5, 0.9, 0.99, 0.999];

function arms(rollout) {
  const { Base: base, Canary: canary, Latency: latency, Pairs: pairs } = rollout.Evidence ?? {};
  if (!base) return null;
  const isWorse = canary.Rate > base.Rate;
  const interval = (arm) => (arm.Requests ? `${percent(arm.RateLow)} to ${percent(arm.RateHigh)}` : "–");
  const line = (name, ofBase, ofCanary, marked) => el("tr", {}, el("th", { scope: "row" }, name), el("td", {}, ofBase),
    el("td", { class: marked ? "bad" : "" }, marked ? "▲ " : "", ofCanary));
  const above = (name) => (threshold) => latency?.[`${name}Requests`] ? percent(threshold[`${name}Above`] / latency[`${name}Requests`], 1) : "–";
  // Where latency is judged, what is slow is learnt from the base first; the rows are there before.
  const thresholds = latency?.Thresholds ?? (rollout.Latency ? JUDGED.map((Quantile) => ({ Quantile, BaseMs: null })) : []);
  return el("table", { class: "compare" }, el("caption", {}, "Base beside canary"),
    el("thead", {}, el("tr", {}, ["", `base (${version(rollout.Base)})`, `canary (${version(rollout.Canary)})`].map((word) => (word ? el("th", { scope: "col" }, word) : el("td", {}))))),
    el("tbody", {}, line("requests", count(base.Requests), count(canary.Requests)), line("errors", count(base.Failures), count(canary.Failures)),
      line("error rate", percent(base.Rate), percent(canary.Rate), isWorse), line("… with 95 %, at all times", interval(base), interval(canary)),
      line("cold starts", count(base.ColdStarts), count(canary.ColdStarts)),
      pairs ? [line("pairs: answered by both", count(pairs.Requests), count(pairs.Requests)), line("pairs: failed by one alone", count(pairs.BaseAlone), count(pairs.CanaryAlone))] : [],
      thresholds.map((threshold) => line(`slower than the base's p${Number((threshold.Quantile * 100).toFixed(1))}, ${ms(threshold.BaseMs)}`, above("Base")(threshold), above("Canary")(threshold)))));
}

// Alarms that roll it back, as they stand while it goes on.
function guards(rollout) {
  if (!rollout.Alarms?.length) return null;
  const states = isOver(rollout) ? null : alarms(rollout);
  return el("section", {}, el("h2", {}, "Alarms that roll it back"), el("ul", { class: "record" }, rollout.Alarms.map((name) =>
    el("li", {}, `${name} `, !isOver(rollout) && !states ? el("span", { class: "state" }, "…") : states && (states.has(name) ? alarmState(states.get(name)) : el("span", { class: "state careful" }, "? there is no alarm of this name"))))));
}

function minute(rollout) {
  const { rows, command } = measured(rollout);
  return [
    el("table", { class: "compare" }, el("caption", {}, "In the newest minute that was measured"),
      el("thead", {}, el("tr", {}, el("td", {}), ["base", "canary"].map((title) => el("th", { scope: "col" }, title)))),
      el("tbody", {}, rows.map(([name, ...values]) => el("tr", {}, el("th", { scope: "row" }, name), values.map((value) => el("td", {}, value)))))),
    el("details", {}, el("summary", {}, "The same from the command line"), el("pre", { tabindex: "0", role: "group", "aria-label": "Command" }, command)),
  ];
}

const ACTIONS = [
  ["PauseRollout", "Pause", "Nothing moves forward until it is resumed. Evidence is gathered on, and a rollback may still happen.", (r) => r.Status !== "Paused"],
  ["ResumeRollout", "Resume", "It goes on; a gate that it stands at is opened.", (r) => r.Status === "Paused" || r.GateUntil],
  ["PromoteRollout", "Promote", "Everybody gets the canary now, whatever the evidence says.", () => true],
  ["AbortRollout", "Abort", "Everybody gets the base again.", () => true],
];

// Asks before anything is done, and shows the command that would do the same. Who goes against the evidence says why.
async function confirm(operation, label, meaning, name) {
  const words = el("pre", { tabindex: "0", role: "group", "aria-label": "Command" }, "…"), trouble = el("p", { role: "alert", class: "bad" });
  const needsReason = operation === "PromoteRollout", reason = el("input", { id: "reason", autocomplete: "off", maxlength: 500 });
  const go = el("button", { type: "button", class: "go" }, label);
  const dialog = el("dialog", { "aria-labelledby": "asks" }, el("h2", { id: "asks" }, `${label} ${name}?`), el("p", {}, meaning),
    el("label", {}, needsReason ? "Why, for the record (needed) " : "Why, for the record ", reason),
    el("p", { class: "small" }, "The same from the command line:"), words, trouble,
    el("div", { class: "buttons" }, go, el("button", { type: "button", autofocus: true, onclick: () => dialog.close() }, "Leave it as it is")));
  const input = () => ({ Name: name, ...(reason.value.trim() && { Reason: reason.value.trim() }) });
  let turn = 0;
  const told = async () => {
    const mine = ++turn;
    go.disabled = needsReason && !reason.value.trim();
    const text = await command("rollouts", operation, needsReason ? { Reason: "…", ...input() } : input()).catch((error) => error.message);
    if (mine === turn) words.textContent = text;
  };
  reason.addEventListener("input", told);
  dialog.addEventListener("close", () => dialog.remove());
  go.addEventListener("click", async () => {
    go.disabled = true;
    try {
      await call("rollouts", operation, input());
      dialog.close();
    } catch (error) {
      trouble.textContent = error.message;
      go.disabled = false;
    }
  });
  document.getElementById("dialogs").append(dialog);
  dialog.showModal();
  await told();
}

// Who saw it go on keeps the buttons at its end, so that nothing below jumps; they do nothing then.
const going = new Set();
function buttons(rollout) {
  const key = `${rollout.Name}@${rollout.StartedAt}`;
  if (!isOver(rollout)) going.add(key);
  return going.has(key) ? actions(rollout) : null;
}

const actions = (rollout) => el("div", { class: "buttons", role: "group", "aria-label": "Actions" },
  ACTIONS.map(([operation, label, meaning, fits]) => el("button", { type: "button", "data-key": operation, class: operation === "AbortRollout" ? "stop" : "",
    disabled: isOver(rollout) || !fits(rollout), onclick: () => confirm(operation, label, meaning, rollout.Name) }, label)));

function record(rollout) {
  const list = (title, items, shown) => el("section", {}, el("h2", {}, title), el("div", { class: "past", tabindex: "0", role: "region", "aria-label": title },
    items?.length ? el("ol", { class: "record" }, items.map((item) => el("li", {}, shown(item)))) : el("p", { class: "small" }, "None yet.")));
  const safe = (rollout.Name ?? "release").replace(/[^\w.-]/g, "_");
  // The button stays while the record grows.
  const newest = () => current(live.releases.get(rollout.Name) ?? rollout);
  return [
    el("div", { class: "buttons" },
      el("button", { type: "button", "data-key": "json", onclick: () => download(`${safe}.json`, "application/json", JSON.stringify(newest(), null, 2)) }, "Save as JSON"),
      el("button", { type: "button", "data-key": "html", onclick: () => download(`${safe}.html`, "text/html", report(newest())) }, "Save as HTML report")),
    el("div", { class: "three" }, list("Decisions", rollout.Decisions, (d) => [time(d.At), ` ${weight(d.FromPercent)} → ${weight(d.ToPercent)}: ${d.Reason}`]),
    list("Orders", rollout.Orders, (o) => [time(o.At), ` ${o.Order} by ${o.By}${o.Reason ? `: ${o.Reason}` : ""}${o.Obeyed ? "" : " (came too late)"}`]),
    list("Shifts", rollout.Shifts, (s) => [time(s.DecidedAt), ` ${s.Change} to ${weight(s.Percent)}`, s.TookMs !== null && s.TookMs !== undefined ? `, live after ${s.TookMs} ms` : ""])),
  ];
}

// What GetRollout said of releases that have ended: the list has only their outlines.
const known = new Map();
const current = (rollout) => (rollout.Evidence ? rollout : known.get(`${rollout.Name}@${rollout.StartedAt}`)) ?? rollout;

// While that is asked, what was seen of it before its end stays.
const last = new Map();

function whole(outline) {
  const key = `${outline.Name}@${outline.StartedAt}`;
  if (outline.Evidence) {
    last.set(key, outline);
    return outline;
  }
  if (!known.has(key)) {
    known.set(key, null);
    call("rollouts", "GetRollout", { Name: outline.Name }).then(({ Rollout: found }) => known.set(key, found), () => known.set(key, outline))
      .then(() => live.dispatchEvent(new Event("change")));
  }
  return known.get(key) ?? { ...last.get(key), ...outline };
}

export function releasePage(name) {
  if (!live.isKnown) return [el("h1", {}, name), el("p", { class: "wait", "data-key": "wait" }, "Asking the server…")];
  const outline = live.releases.get(name);
  if (!outline) return [el("h1", {}, name), el("p", {}, "There is no release of this name here. ", el("a", { href: "/_pitbird/" }, "All releases"))];
  const rollout = whole(outline), isWhole = rollout.Evidence || known.get(`${outline.Name}@${outline.StartedAt}`);
  const head = [
    el("h1", {}, `${rollout.Name} `, state(rollout.Status)),
    el("p", { class: "subject" }, `${version(rollout.Canary)} to ${target(rollout)}, started `, time(rollout.StartedAt), isOver(rollout) ? [", ended ", time(rollout.EndedAt)] : ", not ended yet"),
    el("p", { class: "next", role: "status" }, nextStep(rollout)),
    buttons(rollout),
  ];
  // Of one that has ended the list has an outline only; the rest comes at once.
  if (!isWhole) return [...head, el("p", { class: "wait", "data-key": "wait" }, "Asking the server…")];
  return [
    ...head,
    el("div", { class: "two" }, el("section", { class: "card" }, split(rollout), steps(rollout)), el("section", { class: "card" }, verdict(rollout))),
    arms(rollout),
    minute(rollout),
    guards(rollout),
    rollout.Deviations?.length ? el("p", { class: "small" }, `Differs from the usual rules: ${rollout.Deviations.join("; ")}`) : null,
    record(rollout),
  ];
}
