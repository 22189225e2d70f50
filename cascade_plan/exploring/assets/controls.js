/* The controls of a scenario: made once for the parts that it has, and then told what they show. */

import { by, el, fill, show } from "./dom.js";

const SPAN = 16;
const STEPS = 500;
const TYPED_MS = 300;
const SCALE = "behaviour.actions.*.cpu_ms";
const OPEN = new Set(matchMedia("(min-width: 900px)").matches ? ["users", "behaviour", "money", "place", "tiers"] : ["users"]);

const digits = new Intl.NumberFormat("en-US", { maximumFractionDigits: 20 });

/** A number as --set takes it: three digits of it count. */
function rounded(value, isWhole) {
  const short = Number(value.toPrecision(3));
  return isWhole ? Math.max(1, Math.round(short)) : short;
}

const isNumber = (text) => text !== "" && Number.isFinite(Number(text));

export class Controls {
  /** `moved(changes, gesture)` is told what a control sets ([path, value] each), `asked(path)` what is to be explained. */
  constructor({ moved, settled, asked }) {
    Object.assign(this, { moved, settled, asked });
    this.base = {};
    this.shapes = {};
    this.shape = "";
    this.fields = new Map();
    this.groups = [];
  }

  /** Show controls, with the values that the state sets in their place, and what is wrong with these. */
  render(groups, state, problems, force) {
    if (groups) this.groups = groups;
    const shape = JSON.stringify(this.groups.map((group) => [group.name, group.controls.map((each) => [each.path, each.kind, each.choices, each.unit])]));
    if (shape !== this.shape) this.build();
    this.shape = shape;
    for (const group of this.groups)
      for (const control of group.controls) {
        const shown = state.set.has(control.path) && problems.length ? state.set.get(control.path) : control.value;
        this.fields.get(control.path)?.tell(groups ? shown : state.set.get(control.path) ?? shown, control, force);
      }
    this.fields.get(SCALE)?.tell(force);
    for (const [path, field] of this.fields) field.mark?.(state.set.has(path));
    return this.complain(problems, state);
  }

  build() {
    this.fields.clear();
    const before = new Set([...document.querySelectorAll("#groups details[open]")].map((each) => each.dataset.key));
    const isFirst = this.shape === "";
    const lists = Object.entries(this.shapes).map(([what, names]) =>
      el("datalist", { id: `shapes-${what}` }, ...names.map((name) => el("option", { value: name }))),
    );
    const made = this.groups.map((group) => {
      const fields = group.controls.map((control) => this.field(control));
      if (group.controls.filter((each) => each.scaled).length > 1) fields.push(this.scale(group));
      const key = `group-${group.name}`;
      return el(
        "details",
        { class: "group", open: isFirst ? OPEN.has(group.name) : before.has(key), "data-key": key },
        el("summary", { "data-key": `summary-${group.name}` }, group.title),
        el("div", { class: "fields" }, ...fields),
      );
    });
    fill(by("groups"), ...lists, ...made);
  }

  field(control) {
    const make = { number: this.number, choice: this.choice, text: this.text, switch: this.toggle }[control.kind];
    return make.call(this, control);
  }

  /** The frame of a field: its label, what explains it, what puts it back, and what is wrong with it. */
  frame(control, id, inputs, more = {}) {
    const problem = el("p", { class: "problem", id: `${id}-problem`, hidden: true });
    const reset = el(
      "button",
      { type: "button", class: "small", hidden: true, "data-key": `reset-${control.path}`,
        onclick: () => { this.moved([[control.path, null]], null); this.fields.get(control.path)?.focus(); } },
      "reset",
    );
    reset.setAttribute("aria-label", `Reset ${control.label}`);
    const frame = el(
      "div",
      { class: `field of-${control.kind}`, "data-path": control.path },
      el("div", { class: "row head" }, more.label ?? el("label", { for: id }, control.label), reset, this.why(control)),
      inputs,
      problem,
    );
    this.fields.set(control.path, {
      frame, problem, reset,
      focus: () => by(id)?.focus(),
      inputs: [...frame.querySelectorAll("input, select")],
      mark: (isChanged) => { frame.classList.toggle("changed", isChanged); show(reset, isChanged); },
      ...more.does,
    });
    return frame;
  }

  why(control) {
    const name = `What is ${control.label}?`;
    return el(
      "button",
      { type: "button", class: "small why", "aria-label": name, title: control.path, "data-key": `why-${control.path}`, onclick: () => this.asked(control.path) },
      "?",
    );
  }

  number(control) {
    const id = idOf(control.path);
    const base = Number(this.base[control.path] ?? control.value);
    const input = el("input", { id, type: "text", inputmode: "decimal", spellcheck: "false", "data-key": id });
    const hasSlider = Number.isFinite(base) && base > 0;
    const slider = hasSlider
      ? el("input", { type: "range", min: -STEPS, max: STEPS, step: 10, "aria-label": `${control.label}, slider`, "data-key": `slider-${id}` })
      : null;
    const bounded = (value) => Math.min(control.most ?? Infinity, Math.max(control.least ?? 0, value));
    let typing = 0;
    const typed = (gesture) => { clearTimeout(typing); this.moved([[control.path, input.value.trim() || null]], gesture); };
    input.addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(() => typed(id), TYPED_MS); });
    input.addEventListener("change", () => { typed(id); this.settled(); });
    slider?.addEventListener("input", () => {
      const at = Number(slider.value);
      const value = at === 0 ? base : bounded(rounded(base * SPAN ** (at / STEPS), control.whole));
      input.value = String(value);
      slider.setAttribute("aria-valuetext", `${digits.format(value)} ${control.unit}`);
      this.moved([[control.path, String(value)]], `slider-${id}`);
    });
    slider?.addEventListener("change", () => this.settled());
    const does = {
      tell: (value, _, force) => {
        if (force || document.activeElement !== input) input.value = value;
        if (!slider || !isNumber(value)) return;
        if (force || document.activeElement !== slider) slider.value = String(Math.round((STEPS * Math.log(Number(value) / base)) / Math.log(SPAN)));
        slider.setAttribute("aria-valuetext", `${digits.format(Number(value))} ${control.unit}`);
      },
    };
    const unit = control.unit ? el("span", { class: "unit" }, control.unit) : null;
    return this.frame(control, id, el("div", { class: "row" }, slider, el("span", { class: "entry" }, input, unit)), { does });
  }

  choice(control) {
    const id = idOf(control.path);
    const options = control.choices.map((each) => el("option", { value: each.value }, each.label));
    const input = el("select", { id, "data-key": id, onchange: () => this.moved([[control.path, input.value || null]], null) }, ...options);
    const does = { tell: (value) => { input.value = value; } };
    return this.frame(control, id, input, { does });
  }

  text(control) {
    const id = idOf(control.path);
    const input = el("input", { id, type: "text", list: `shapes-${control.list}`, spellcheck: "false", "data-key": id });
    input.addEventListener("change", () => this.moved([[control.path, input.value.trim() || null]], null));
    const does = { tell: (value, _, force) => { if (force || document.activeElement !== input) input.value = value; } };
    return this.frame(control, id, input, { does });
  }

  /** A tier on or off. One that is turned off takes what was changed of it along. */
  toggle(control) {
    const id = idOf(control.path);
    const input = el("input", { id, type: "checkbox", role: "switch", "data-key": id });
    input.addEventListener("change", () => {
      const isBase = this.base[control.path] === (input.checked ? "on" : control.off);
      const value = isBase ? null : input.checked ? control.on : control.off;
      this.moved([[`${control.path}.*`, null], [control.path, value]], null);
    });
    const label = el("label", { for: id, class: "switch" }, input, el("span", {}, control.label));
    const does = { tell: (value, now) => { input.checked = value !== now.off; } };
    return this.frame(control, id, null, { label, does });
  }

  /** One slider for the CPU time of all actions. */
  scale(group) {
    const scaled = group.controls.filter((each) => each.scaled);
    const id = "scale-cpu";
    const slider = el("input", { id, type: "range", min: -STEPS, max: STEPS, step: 10, "data-key": id });
    const shown = el("output", { for: id, class: "unit" });
    const factor = () => SPAN ** (Number(slider.value) / STEPS);
    const say = (value) => { shown.textContent = value === null ? "mixed" : `× ${digits.format(Number(value.toPrecision(3)))}`; slider.setAttribute("aria-valuetext", shown.textContent); };
    slider.addEventListener("input", () => {
      say(factor());
      const changes = scaled.map((each) => [each.path, Number(slider.value) === 0 ? null : String(rounded(Number(this.base[each.path]) * factor(), false))]);
      this.moved(changes, id);
    });
    slider.addEventListener("change", () => this.settled());
    const tell = () => {
      if (document.activeElement === slider) return;
      const now = this.groups.flatMap((each) => each.controls).filter((each) => each.scaled);
      const ratios = now.map((each) => Number(each.value) / Number(this.base[each.path]));
      const isEven = ratios.every((ratio) => Math.abs(ratio / ratios[0] - 1) < 0.01);
      slider.value = isEven ? String(Math.round((STEPS * Math.log(ratios[0])) / Math.log(SPAN))) : "0";
      say(isEven ? ratios[0] : null);
    };
    this.fields.set(SCALE, { tell });
    return el("div", { class: "field of-number" }, el("div", { class: "row head" }, el("label", { for: id }, "CPU of every action")), el("div", { class: "row" }, slider, el("span", { class: "entry" }, shown)));
  }

  /** Say at each field what is wrong with it, and return the problems that no field has. */
  complain(problems, state) {
    const said = new Map();
    const others = [];
    for (const problem of problems) {
      const path = this.owner(problem.field, state);
      if (path === null) others.push(problem);
      else said.set(path, [...(said.get(path) ?? []), problem.message]);
    }
    for (const [path, field] of this.fields) {
      if (!field.problem) continue;
      const words = said.get(path);
      field.problem.textContent = words ? words.join("; ") : "";
      show(field.problem, words !== undefined);
      for (const input of field.inputs) {
        if (words) input.setAttribute("aria-invalid", "true");
        else input.removeAttribute("aria-invalid");
        if (words) input.setAttribute("aria-describedby", field.problem.id);
        else input.removeAttribute("aria-describedby");
      }
      if (words) field.frame.closest("details").open = true;
    }
    return others;
  }

  /** The path of the field that a problem belongs to, or null. */
  owner(name, state) {
    if (!name) return null;
    if (this.fields.get(name)?.problem) return name;
    const known = [...this.fields.keys()].filter((path) => this.fields.get(path).problem);
    const within = known.filter((path) => path.startsWith(`${name}.`) && state.set.has(path));
    const around = known.filter((path) => name.startsWith(`${path}.`));
    return within[0] ?? around.sort((one, other) => other.length - one.length)[0] ?? null;
  }
}

const idOf = (path) => `field-${path.replace(/[^a-z0-9_]+/gi, "-")}`;
