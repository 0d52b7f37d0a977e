// Which page, in which colours, as whom.
import { alarmsPage } from "./alarms.js";
import { apisPage } from "./apis.js";
import { post, scope } from "./calls.js";
import { el, next, show } from "./dom.js";
import { functionsPage } from "./functions.js";
import { live } from "./live.js";
import { logsPage } from "./logs.js";
import { metricsPage } from "./metrics.js";
import { queryPage } from "./query.js";
import { releasePage } from "./release.js";
import { releasesPage } from "./releases.js";

const main = document.getElementById("main"), link = document.getElementById("link");
const NAV = [...document.querySelectorAll("#nav a")];
const PAGES = { apis: apisPage, functions: functionsPage, charts: metricsPage, logs: logsPage, query: queryPage, alarms: alarmsPage };
let leave = null, isSigningIn = false;

function place() {
  const [page, name] = location.pathname.replace(/^\/_pitbird\/?/, "").split("/");
  try {
    return { page: page || "releases", name: name ? decodeURIComponent(name) : null };
  } catch {
    return { page: "releases", name: null };
  }
}

// Pages made of what is told live are drawn with each frame before which something has changed; others look after themselves.
let isDue = false;
function soon() {
  if (isDue) return;
  isDue = true;
  next(() => { isDue = false; draw(); });
}

function draw() {
  const { page, name } = place();
  const words = live.trouble ? `✘ ${live.trouble}` : live.isLinked ? "● live" : live.isKnown ? "✘ connection lost, trying again" : "connecting…";
  if (link.textContent !== words) link.textContent = link.title = words;
  link.className = `link ${live.isLinked && !live.trouble ? "good" : "bad"}`;
  if (page !== "releases" || isSigningIn) return;
  document.title = `${name ?? "Releases"} – pitbird`;
  if (name) show(main, ...releasePage(name).flat(Infinity).filter(Boolean));
  else if (!releasesPage(main)) soon();
}

function go() {
  leave?.();
  leave = null;
  const { page, name } = place();
  main.replaceChildren();
  for (const item of NAV) {
    const isHere = item.getAttribute("href") === `/_pitbird/${page === "releases" ? "" : page}`;
    if (isHere) item.setAttribute("aria-current", "page");
    else item.removeAttribute("aria-current");
  }
  if (PAGES[page]) {
    document.title = `${name ?? NAV.find((item) => item.getAttribute("href").endsWith(page)).textContent} – pitbird`;
    leave = PAGES[page](main, name);
  }
  draw();
}

document.addEventListener("click", (event) => {
  const anchor = event.target.closest?.("a[href^='/_pitbird/']");
  if (!anchor || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  history.pushState(null, "", anchor.getAttribute("href"));
  go();
  scrollTo(0, 0);
  main.focus({ preventScroll: true });
});
addEventListener("popstate", go);

function theme(chosen) {
  if (chosen) document.documentElement.dataset.theme = chosen;
  else delete document.documentElement.dataset.theme;
}

function settings(session) {
  const chosen = localStorage.getItem("theme") ?? "";
  const option = (value, words) => el("option", { value, selected: value === chosen }, words);
  const colours = el("select", { onchange: () => { localStorage.setItem("theme", colours.value); theme(colours.value); } }, option("", "as the system"), option("light", "light"), option("dark", "dark"));
  const account = el("input", { value: session.account ?? scope.account, pattern: "[0-9]{12}", required: true, inputmode: "numeric", disabled: session.login !== "open" });
  const region = el("input", { value: scope.region, pattern: "[a-z0-9\\-]{1,32}", required: true });
  const form = el("form", { onsubmit: (event) => { event.preventDefault(); scope.set(account.value, region.value); live.restart(); go(); } },
    el("label", {}, "Colours ", colours), el("label", {}, "Account ", account), el("label", {}, "Region ", region), el("button", {}, "Use"));
  const out = session.login === "done" && el("button", { type: "button", onclick: async () => { await post("logout", {}); location.reload(); } }, `Sign out ${session.principal}`);
  document.getElementById("settings").replaceChildren(form, ...[out].filter(Boolean), el("p", { class: "small" }, `pitbird ${session.version}`));
}

function signIn() {
  if (isSigningIn) return;
  isSigningIn = true;
  live.stop();
  const id = el("input", { autocomplete: "username", required: true }), secret = el("input", { type: "password", autocomplete: "current-password", required: true });
  const trouble = el("p", { role: "alert", class: "bad" });
  main.replaceChildren(el("h1", {}, "Sign in"), el("p", {}, "With an access key that this server knows (serve --keys)."),
    el("form", { class: "form", onsubmit: async (event) => {
      event.preventDefault();
      trouble.textContent = "";
      await post("login", { AccessKeyId: id.value, SecretAccessKey: secret.value }).then(() => location.reload(), (error) => (trouble.textContent = error.message));
    } }, el("label", {}, "Access key id ", id), el("label", {}, "Secret access key ", secret), el("button", { class: "go" }, "Sign in")), trouble);
  id.focus();
}

theme(localStorage.getItem("theme") ?? "");
// Nobody registers workers here; one that another server left on this address would answer in our place.
navigator.serviceWorker?.getRegistrations().then((all) => all.forEach((it) => it.unregister()), () => {});
document.addEventListener("sign-in", signIn);
live.addEventListener("change", soon);
setInterval(() => { if (!document.hidden) draw(); }, 1000);
const session = await (await fetch("/_pitbird/session")).json();
settings(session);
if (session.login === "needed") signIn();
else {
  live.start();
  go();
}
