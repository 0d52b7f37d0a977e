// Elements from plain values. Text is always text: nothing here reads markup.

const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export const el = (name, attributes, ...children) => fill(document.createElement(name), attributes, children);
export const svg = (name, attributes, ...children) => fill(document.createElementNS(SVG, name), attributes, children);

// Makes `old` look like `fresh` and keeps what is the same, so that focus, selection and open details stay where they are.
export function morph(old, fresh) {
  if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName || old.dataset?.key !== fresh.dataset?.key) {
    old.replaceWith(fresh);
    return;
  }
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
    return;
  }
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name) && name !== "open" && name !== "style") old.removeAttribute(name);
  for (const { name, value } of [...fresh.attributes]) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  if (old.dataset.keep !== undefined) return;
  const [before, after] = [[...old.childNodes], [...fresh.childNodes]];
  after.forEach((child, at) => (before[at] ? morph(before[at], child) : old.append(child)));
  before.slice(after.length).forEach((child) => child.remove());
}

// Before the next frame; a page out of sight has none.
export const next = (run) => (document.hidden ? setTimeout(run) : requestAnimationFrame(run));

// What the elements of a list were made of.
const made = new WeakMap();

// A list whose items, [key, value, …], keep their elements: one is made anew only when its value is another one. No more is made than fits
// into a part of a frame; says whether all of it was.
export function list(place, items, make, until) {
  const wanted = new Set(items.map(([key]) => key)), before = new Map();
  for (const child of [...place.children]) {
    if (wanted.has(child.dataset.key)) before.set(child.dataset.key, child);
    else child.remove();
  }
  let at = place.firstElementChild, isWhole = true;
  for (const [key, value] of items) {
    let element = before.get(key);
    const isNew = !element, isOther = isNew || made.get(element) !== value;
    if (isOther && performance.now() > until) {
      isWhole = false;
      if (isNew) continue;
    } else if (isOther) {
      if (isNew) element = make(value);
      else morph(element, make(value));
      made.set(element, value);
    }
    if (element === at) at = at.nextElementSibling;
    else place.insertBefore(element, at);
  }
  return isWhole;
}

// Shows these children in a place that may have others already.
export function show(place, ...children) {
  const fresh = place.cloneNode(false);
  fresh.append(...children.flat(Infinity).filter(Boolean));
  morph(place, fresh);
}
