// A chart of series over time: told apart by dashes and names beside colour, read by pointer or keys, zoomed by dragging.
import { el, svg } from "./dom.js";
import { time } from "./words.js";

const WIDTH = 1000, HEIGHT = 300, DASHES = ["", "12 6", "3 5", "16 5 3 5", "8 8", "2 2"];
const number = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });
export const figure = (value, unit) => (value === null || value === undefined ? "–" : `${number.format(value).replaceAll(",", "\u202f")}${unit ? `\u00a0${unit}` : ""}`);

// A round number at or above.
function ceiling(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 2.5, 5, 10].map((step) => step * power).find((step) => step >= value);
}

// series: [{name, points: [[seconds, value], …]}], oldest first; from, to: seconds. onzoom(from, to) when somebody has chosen a part.
export function chart({ series, from, to, unit, label, onzoom }) {
  const top = ceiling(Math.max(0, ...series.flatMap(({ points }) => points.map(([, value]) => value))));
  const x = (at) => ((at - from) / (to - from)) * WIDTH, y = (value) => HEIGHT - (Math.max(0, value) / top) * HEIGHT;
  const times = [...new Set(series.flatMap(({ points }) => points.map(([at]) => at)))].sort((a, b) => a - b);
  const said = el("p", { class: "readout", "aria-live": "polite" }, times.length ? "Point at the chart, or use the arrow keys, to read values. Drag to zoom." : "No value in this time.");
  const cursor = svg("line", { class: "cursor", x1: -9, x2: -9, y1: 0, y2: HEIGHT }), chosen = svg("rect", { class: "chosen", y: 0, height: HEIGHT, width: 0 });
  // A point that stands alone has no line.
  const line = (points) => points.map(([at, value], index) => `${index ? "L" : "M"}${x(at).toFixed(1)} ${y(value).toFixed(1)}${points.length === 1 ? "h4" : ""}`).join("");
  const drawing = svg("svg", { class: "chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", tabindex: "0", "aria-label": `${label}: ${series.length} series, from 0 to ${figure(top, unit)}. The table below has the values.` },
    [0.25, 0.5, 0.75].map((share) => svg("line", { class: "grid", x1: 0, x2: WIDTH, y1: HEIGHT * share, y2: HEIGHT * share })),
    chosen, series.map(({ points }, index) => svg("path", { class: `line c${index % 6}`, d: line(points), "stroke-dasharray": DASHES[index % 6] })), cursor);
  // Its lines have their place before anybody reads values.
  const letters = 24 + series.reduce((sum, { name }) => sum + name.length + 14, 0);
  said.style.minHeight = `${1.5 * Math.max(2, Math.ceil(letters / Math.max(24, innerWidth / 10)))}em`;
  let read = -1, dragged = null;
  const show = (index) => {
    if (!times.length) return;
    read = Math.min(times.length - 1, Math.max(0, index));
    const at = times[read];
    for (const end of ["x1", "x2"]) cursor.setAttribute(end, x(at));
    const values = series.map(({ name, points }) => `${name} ${figure(points.find(([when]) => when === at)?.[1], unit)}`);
    said.replaceChildren(time(at), `: ${values.join(" · ")}`);
  };
  const at = (event) => {
    const box = drawing.getBoundingClientRect();
    return from + Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)) * (to - from);
  };
  const nearest = (wanted) => times.reduce((best, when, index) => (Math.abs(when - wanted) < Math.abs(times[best] - wanted) ? index : best), 0);
  drawing.addEventListener("pointerdown", (event) => { dragged = at(event); drawing.setPointerCapture(event.pointerId); });
  drawing.addEventListener("pointermove", (event) => {
    show(nearest(at(event)));
    if (dragged === null) return;
    const [left, right] = [dragged, at(event)].sort((a, b) => a - b);
    chosen.setAttribute("x", x(left));
    chosen.setAttribute("width", x(right) - x(left));
  });
  drawing.addEventListener("pointerup", (event) => {
    const [left, right] = [dragged ?? 0, at(event)].sort((a, b) => a - b);
    const isDrag = dragged !== null && x(right) - x(left) > 12;
    dragged = null;
    chosen.setAttribute("width", 0);
    if (isDrag) onzoom?.(left, right);
  });
  drawing.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    show(read < 0 ? times.length - 1 : read + step);
  });
  const legend = el("ul", { class: "legend" }, series.map(({ name }, index) => el("li", {}, svg("svg", { viewBox: "0 0 40 8", width: 40, height: 8, "aria-hidden": "true" }, svg("path", { class: `line c${index % 6}`, d: "M0 4H40", "stroke-dasharray": DASHES[index % 6] })), ` ${name}`)));
  const table = el("details", {}, el("summary", {}, "As a table"), el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `${label}: values` }, el("table", {},
    el("thead", {}, el("tr", {}, ["Time", ...series.map(({ name }) => name)].map((word) => el("th", { scope: "col" }, word)))),
    el("tbody", {}, times.slice(-500).reverse().map((when) => el("tr", {}, el("th", { scope: "row" }, time(when)), series.map(({ points }) => el("td", {}, figure(points.find(([at]) => at === when)?.[1], unit)))))))));
  return el("figure", { class: "card", "aria-label": label }, el("p", { class: "small" }, `0 to ${figure(top, unit)}`), drawing,
    el("p", { class: "small ends" }, el("span", {}, time(from)), el("span", {}, time(to))), legend, said, table);
}
