// The first page: what goes on now in large letters, what has ended below.
import { el, list, show } from "./dom.js";
import { live } from "./live.js";
import { address, count, duration, isOver, percent, state, target, time, version } from "./words.js";
import { nextStep, split, verdict } from "./release.js";

const START = `pitbird rollout start --name app-2 --stage API_ID/prod \\
  --deployment DEPLOYMENT_ID --steps 10,50,100`;

function empty() {
  return el("section", { class: "empty" },
    el("h2", {}, "No release yet"),
    el("p", {}, "A release gets a slice of the traffic and proves itself. See one caught and one promoted in a minute:"),
    el("pre", { tabindex: "0", role: "group", "aria-label": "Command" }, "pitbird demo"),
    el("p", {}, "Or start one of your own, and it appears here by itself:"),
    el("pre", { tabindex: "0", role: "group", "aria-label": "Command" }, START));
}

function card(rollout) {
  const { Base: base, Canary: canary } = rollout.Evidence ?? {};
  const arm = (name, seen) => el("div", { class: `arm ${name}` },
    el("h3", {}, name),
    el("p", { class: "rate" }, percent(seen?.Rate)), el("p", { class: "small" }, `errors in ${count(seen?.Requests)} requests`));
  return el("article", { class: "card", "data-key": rollout.Name },
    el("h2", {}, el("a", { href: address(rollout.Name) }, rollout.Name), " ", state(rollout.Status)),
    el("p", { class: "subject" }, `${version(rollout.Canary)} to ${target(rollout)}`),
    split(rollout),
    el("div", { class: "arms" }, arm("base", base), arm("canary", canary)),
    verdict(rollout), el("p", { class: "next", "data-next": "" }, nextStep(rollout)));
}

function row(rollout) {
  return el("tr", { "data-key": rollout.Name },
    el("th", { scope: "row" }, el("a", { href: address(rollout.Name) }, rollout.Name)),
    el("td", {}, state(rollout.Status)), el("td", {}, target(rollout)),
    el("td", {}, time(rollout.EndedAt)), el("td", {}, duration(rollout.EndedAt - rollout.StartedAt)),
    el("td", { class: "why" }, rollout.StatusReason));
}

// Of so many the ones out of sight aren't laid out.
const MANY = 20;
// Of a frame's 16 ms.
const PART_MS = 6;
const items = (all) => all.map((rollout) => [rollout.Name, rollout]);

// Draws what has changed, as much as fits into a part of a frame; says whether that was all.
export function releasesPage(main) {
  const all = [...live.releases.values()], until = performance.now() + PART_MS;
  const running = all.filter((rollout) => !isOver(rollout)).sort((a, b) => b.StartedAt - a.StartedAt);
  const ended = all.filter(isOver).sort((a, b) => b.EndedAt - a.EndedAt);
  if (!live.isKnown || all.length === 0) {
    show(main, el("h1", {}, "Releases"), live.isKnown ? empty() : el("p", { class: "wait", "data-key": "wait" }, "Asking the server…"));
    return true;
  }
  const table = el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Ended releases" },
    el("table", { class: "even ended" }, el("thead", {}, el("tr", {}, ["Release", "Outcome", "Target", "Ended", "Took", "Why"].map((word) => el("th", { scope: "col", class: word === "Why" ? "why" : null }, word)))),
      el("tbody", { "data-keep": "" })));
  show(main, el("h1", {}, running.length ? `Releases: ${running.length} in progress` : "Releases: none in progress"),
    el("div", { class: running.length > MANY ? "cards many" : "cards", "data-key": "cards", "data-keep": "" }),
    el("section", { "data-key": "ended", hidden: main.querySelector("[data-key=ended]")?.hidden ?? true }, el("h2", {}, "Ended"), table));
  const cards = main.querySelector(".cards");
  if (!list(cards, items(running), card, until)) return false;
  // Waits count down, whatever else changes.
  running.forEach((rollout, at) => {
    const next = cards.children[at].querySelector("[data-next]"), words = nextStep(rollout);
    if (next.textContent !== words) next.textContent = words;
  });
  const isWhole = list(main.querySelector("tbody"), items(ended), row, until);
  const section = main.querySelector("[data-key=ended]");
  section.hidden = ended.length === 0 || (section.hidden && !isWhole);
  return isWhole;
}
