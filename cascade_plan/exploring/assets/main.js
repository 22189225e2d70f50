/* The page: what was changed, the plan of it, and what can be done with both. */

import { by, columns, el, fill, say, show } from "./dom.js";
import { ask } from "./server.js";
import { State, pathEnd } from "./state.js";
import { Controls } from "./controls.js";
import { PlanView, stale } from "./plan.js";
import { Jobs } from "./jobs.js";
import { draw } from "./charts.js";

const QUIET_MS = 250;
const SPOKEN_MS = 800;

const state = new State();
const controls = new Controls({ moved, settled: () => state.settle(), asked: explain });
const view = new PlanView(explain);
const jobs = new Jobs({ posted, taken: takeOver, drawn: draw });
let pinnedPlan = null;
let lastPlan = null;

function posted() {
  return { set: state.list() };
}

/** Take values that a control sets; null puts one back, and a path that ends in * all that is below it. */
function moved(changes, gesture) {
  const began = performance.now();
  const isChanged = state.change(gesture, ({ set }) => {
    for (const [path, value] of changes) {
      if (path.endsWith(".*")) for (const each of [...set.keys()]) if (each.startsWith(path.slice(0, -1))) set.delete(each);
      if (value === null || value === controls.base[path]) set.delete(path);
      else set.set(path, value);
    }
  });
  if (isChanged) replan(began, false);
}

let asking = false;
let next = null;

/** Ask for the plan of what the state is now: one question at a time, and of several moves meanwhile only the last. */
async function replan(began, force) {
  next = { began, force: force || next?.force };
  tools();
  if (asking) return;
  asking = true;
  while (next) {
    const move = next;
    next = null;
    const answer = await ask("plan", posted());
    render(answer, move);
  }
  asking = false;
  rest();
}

/** Show an answer; while another move waits already, of an answer only its plan. */
function render(answer, move) {
  requestAnimationFrame(() => performance.measure("redraw", { start: move.began, end: performance.now() }));
  if (next) {
    if (answer.plan) view.render(answer.plan, state.pinned ? pinnedPlan : null, false);
    return;
  }
  const general = controls.render(answer.controls ?? null, state, answer.problems ?? [], move.force);
  if (answer.plan) {
    lastPlan = answer.plan;
    view.render(answer.plan, state.pinned ? pinnedPlan : null, false);
  }
  trouble(answer, general);
  if (answer.ok) by("command").textContent = answer.command;
}

/** Say what keeps the controls' values from having a plan; the last one stays. */
function trouble(answer, general) {
  const count = answer.problems?.length ?? 0;
  const words = answer.infeasible ?? (answer.ok ? "" : count ? `${count === 1 ? "One value needs" : `${count} values need`} another look.` : answer.error);
  by("trouble").textContent = words;
  show(by("trouble"), words !== "");
  by("verdict").classList.toggle("troubled", words !== "");
  stale(words !== "" && lastPlan !== null);
  const notes = (answer.notes ?? []).map((note) => el("p", { class: "note" }, note));
  const wrong = general.map((each) => el("p", {}, each.field ? `${each.field}: ${each.message}` : each.message));
  fill(by("general"), ...wrong, ...notes);
  by("general").classList.toggle("noted", wrong.length === 0);
  show(by("general"), wrong.length + notes.length > 0);
}

/** What follows a move once the controls rest: the address, words for a screen reader, what takes longer. */
let resting = 0;
let speaking = 0;
function rest() {
  clearTimeout(resting);
  clearTimeout(speaking);
  resting = setTimeout(() => {
    const fragment = state.fragment();
    if (location.hash.slice(1) !== fragment) history.replaceState(null, "", fragment ? `#${fragment}` : location.pathname);
    if (state.pinned) differ();
    if (by("trouble").hidden) follow();
  }, QUIET_MS);
  speaking = setTimeout(() => {
    by("live").textContent = [by("trouble").textContent, by("trouble").hidden ? by("sentence").textContent : ""].join(" ").trim();
  }, SPOKEN_MS);
}

/** What no move waits for: the rest of the plan and its charts, as long as nothing is moved meanwhile. */
async function follow() {
  const asked = state.snapshot();
  const isStill = () => state.snapshot() === asked && by("trouble").hidden;
  const whole = await ask("whole", posted());
  if (!whole.ok || !isStill()) return;
  lastPlan = whole.plan;
  view.render(whole.plan, state.pinned ? pinnedPlan : null, true);
  for (const [name, place] of [["curve", "curve"], ["latency", "reach"]]) {
    const answer = await ask(name, posted());
    if (!isStill()) return;
    if (answer.ok) await draw(by(place), answer.chart);
  }
}

function tools() {
  by("undo").disabled = state.past.length === 0;
  by("redo").disabled = state.future.length === 0;
  by("restart").disabled = state.set.size === 0;
  by("pin").setAttribute("aria-pressed", String(state.pinned !== null));
  by("pin").textContent = state.pinned === null ? "Pin as A" : "Unpin A";
  const rows = state.list().map(([path, value]) =>
    el(
      "li",
      {},
      el("code", {}, `${path}=${value}`),
      el("button", { type: "button", class: "small", "aria-label": `Undo the change of ${path}`, onclick: () => moved([[path, null]], null) }, "×"),
    ),
  );
  fill(by("changes"), ...rows);
  show(by("unchanged"), rows.length === 0);
}

/** Show what the state is after it was taken from elsewhere: from before, or from the address. */
async function restored() {
  if (state.pinned && !pinnedPlan) await fetchPinned();
  show(by("difference-card"), state.pinned !== null);
  await replan(performance.now(), true);
}

async function fetchPinned() {
  pinnedPlan = (await ask("plan", { set: state.pinned })).plan ?? null;
}

async function pin() {
  if (state.pinned !== null) {
    state.change(null, (each) => { each.pinned = null; });
    pinnedPlan = null;
    say("A is no longer pinned.");
  } else {
    const set = state.list();
    const { plan } = await ask("plan", { set });
    if (!plan) {
      say("Only a plan that works can be pinned.");
      return;
    }
    state.change(null, (each) => { each.pinned = set; });
    pinnedPlan = plan;
    by("difference").textContent = "Change something: what it does to A is said here.";
    say("Pinned as A: what you change now is shown beside it.");
  }
  show(by("difference-card"), state.pinned !== null);
  replan(performance.now(), false);
}

async function differ() {
  const answer = await ask("diff", { ...posted(), against: state.pinned, columns: columns(by("difference")) });
  if (answer.ok) by("difference").textContent = answer.text;
}

/** The text that `explain` prints of a figure or of an input. */
async function explain(figure) {
  const dialog = by("why");
  by("why-title").textContent = `Why: ${figure}`;
  by("why-text").textContent = "…";
  dialog.showModal();
  const answer = await ask("explain", { ...posted(), figure, columns: columns(by("why-text")) });
  by("why-text").textContent = answer.ok ? answer.text : answer.error;
}

function takeOver(changes) {
  const isChanged = state.change(null, ({ set }) => {
    for (const [path, value] of changes) {
      set.delete(path);
      set.set(path, value);
    }
  });
  if (isChanged) restored();
  say("Taken over: Undo puts it back.");
}

async function copy(text, words) {
  try {
    await navigator.clipboard.writeText(text);
    say(words);
  } catch {
    by("why-title").textContent = "To copy";
    by("why-text").textContent = text;
    by("why").showModal();
  }
}

async function save() {
  const answer = await ask("scenario", posted());
  if (!answer.ok) {
    say("There is nothing to save until the values are right.");
    return;
  }
  const address = URL.createObjectURL(new Blob([answer.text], { type: "application/yaml" }));
  const link = el("a", { href: address, download: answer.file_name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
  say(`Saved as ${answer.file_name}.`);
}

function link() {
  const fragment = state.fragment();
  return location.origin + location.pathname + (fragment ? `#${fragment}` : "");
}

function addOther() {
  const input = by("other");
  const at = pathEnd(input.value);
  if (at < 1) {
    say("Write a path, =, and a value: users.tenants=500");
    input.focus();
    return;
  }
  moved([[input.value.slice(0, at).trim(), input.value.slice(at + 1).trim()]], null);
  input.value = "";
}

function step(isBack) {
  if (!(isBack ? state.undo() : state.redo())) return;
  if (!state.pinned) pinnedPlan = null;
  restored();
}

by("undo").addEventListener("click", () => step(true));
by("redo").addEventListener("click", () => step(false));
by("restart").addEventListener("click", () => { if (state.change(null, ({ set }) => set.clear())) restored(); });
by("pin").addEventListener("click", pin);
by("link").addEventListener("click", () => copy(link(), "The link is copied: it holds what was changed."));
by("copy").addEventListener("click", () => copy(by("command").textContent, "The command line is copied."));
by("save").addEventListener("click", save);
by("add").addEventListener("click", addOther);
by("other").addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); addOther(); } });
by("controls").addEventListener("submit", (event) => event.preventDefault());
by("skip").addEventListener("click", (event) => { event.preventDefault(); by("results").focus(); });
addEventListener("keydown", (event) => {
  const isText = event.target.matches?.("input[type=text], input[type=search], input[type=number]");
  if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z" || isText) return;
  event.preventDefault();
  step(!event.shiftKey);
});
addEventListener("hashchange", () => { if (state.read(location.hash.slice(1))) { pinnedPlan = null; restored(); } });

async function begin() {
  const began = performance.now();
  const answer = await ask("base");
  if (answer.ok) {
    controls.base = answer.values;
    controls.shapes = answer.shapes;
    controls.render(answer.controls, state, [], true);
  }
  if (state.read(location.hash.slice(1))) state.past = [];
  if (state.pinned) await fetchPinned();
  show(by("difference-card"), state.pinned !== null);
  await replan(began, true);
}

begin();
