/* Elements made of text alone: nothing that a scenario says is ever read as markup. */

export const by = (id) => document.getElementById(id);

/** An element with attributes (events by on..., others as they are called; null leaves one out) and children. */
export function el(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** What an element holds, anew; the focus stays on what has the same key. */
export function fill(parent, ...children) {
  const key = parent.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  parent.replaceChildren(...children.filter((child) => child !== null && child !== undefined));
  if (key === undefined) return;
  for (const each of parent.querySelectorAll("[data-key]")) if (each.dataset.key === key) each.focus();
}

export function show(element, isShown) {
  element.hidden = !isShown;
}

/** A bar as long as a share of 1; what it shows stands beside it as a number. */
export function bar(share, kind = "") {
  const inner = el("span", { class: `bar ${kind}` });
  inner.style.setProperty("--share", String(Math.max(0, Math.min(1, share || 0))));
  return el("span", { class: "track", "aria-hidden": "true" }, inner);
}

/** How many characters of a fixed width a text may have in a line of an element. */
export function columns(element) {
  const probe = el("span", { class: "probe" }, "0".repeat(40));
  element.append(probe);
  const width = probe.getBoundingClientRect().width / 40;
  probe.remove();
  const style = getComputedStyle(element);
  const room = element.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
  return width > 0 && room > 0 ? Math.floor(room / width) : 80;
}

const toast = by("toast");
let hiding = 0;

/** Words for a moment, for eyes and for a screen reader. */
export function say(words) {
  toast.textContent = words;
  show(toast, true);
  clearTimeout(hiding);
  hiding = setTimeout(() => show(toast, false), 4000);
}
