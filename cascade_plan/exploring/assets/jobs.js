/* What takes longer than a move: started, watched, cancelled, and its result taken over. */

import { by, columns, el, fill, show } from "./dom.js";
import { ask } from "./server.js";

const EVERY_MS = 250;
const KINDS = [
  {
    kind: "optimize",
    title: "Find the cheapest fleet",
    words: "Shapes, counts, engines and purchase are open; every promise is kept with a zone and a node lost.",
    fields: [],
  },
  {
    kind: "forecast",
    title: "Forecast months",
    words: "Each month planned anew for its users and for what has accumulated: the years, what becomes too small when, what breaks.",
    fields: [{ name: "months", label: "Months", value: 36, most: 120 }],
  },
  {
    kind: "risk",
    title: "Ask how sure it is",
    words: "Worlds in which what nobody measured is drawn: in how many each limit is missed, what drives it, what is worth measuring.",
    fields: [{ name: "worlds", label: "Worlds", value: 10000, least: 100, most: 10000 }],
  },
  {
    kind: "simulate",
    title: "Simulate days",
    words: "Traffic through the real autoscaler algorithm: minutes beyond the SLO, and what the days cost.",
    fields: [
      { name: "days", label: "Days", value: 1, most: 14 },
      { name: "runs", label: "Runs", value: 1, most: 50 },
    ],
  },
];

export class Jobs {
  /** `posted()` is what the server is asked with; `taken(changes)` takes a result over. */
  constructor({ posted, taken, drawn }) {
    Object.assign(this, { posted, taken, drawn });
    fill(by("jobs"), ...KINDS.map((kind) => this.panel(kind)));
  }

  panel({ kind, title, words, fields }) {
    const inputs = fields.map((each) => el("input", { id: `${kind}-${each.name}`, name: each.name, type: "number", min: each.least ?? 1, max: each.most, value: each.value }));
    const start = el("button", { type: "submit", class: "main" }, title);
    const cancel = el("button", { type: "button", hidden: true }, "Cancel");
    const progress = el("progress", { max: 1, "aria-label": `${title}: how far it is`, hidden: true });
    const status = el("p", { class: "quiet", role: "status" });
    const take = el("button", { type: "button", hidden: true }, "Take it over");
    const result = el("pre", { tabindex: 0, hidden: true, "aria-label": `${title}: result` });
    const chart = el("div", { class: "chart", hidden: true });
    const panel = { kind, title, start, cancel, progress, status, take, result, chart, job: null };
    cancel.addEventListener("click", () => this.cancel(panel));
    take.addEventListener("click", () => this.taken(panel.changes));
    const given = () => Object.fromEntries(inputs.map((each) => [each.name, Number(each.value)]));
    const form = el(
      "form",
      { class: "job", "data-kind": kind, onsubmit: (event) => { event.preventDefault(); this.start(panel, given()); } },
      el("h3", {}, title),
      el("p", { class: "quiet" }, words),
      el("div", { class: "row" }, ...inputs.map((each, at) => el("label", { class: "short" }, fields[at].label, each)), start, cancel, take),
      progress,
      status,
    );
    return el("div", {}, form, chart, result);
  }

  async start(panel, given) {
    panel.start.disabled = true;
    show(panel.take, false);
    panel.status.textContent = "Starting …";
    const answer = await ask("start", { ...this.posted(), ...given, kind: panel.kind, columns: this.width(panel) });
    if (!answer.ok) {
      panel.start.disabled = false;
      panel.status.textContent = answer.error;
      return;
    }
    panel.job = answer.job;
    show(panel.cancel, true);
    show(panel.progress, true);
    panel.progress.removeAttribute("value");
    this.watch(panel, answer.job);
  }

  /** How wide the text of a result may be: the panel is shown for as long as it is measured. */
  width(panel) {
    const { result } = panel;
    const was = result.hidden;
    show(result, true);
    const found = columns(result);
    show(result, !was);
    return found;
  }

  async watch(panel, job) {
    for (;;) {
      const answer = await ask("job", { job });
      if (panel.job !== job) return;
      if (!answer.ok || answer.status !== "running") return this.end(panel, answer);
      if (answer.share > 0) panel.progress.value = answer.share;
      const share = answer.share > 0 ? `, ${Math.round(answer.share * 100)}%` : "";
      panel.status.textContent = `${answer.said}${share}, ${answer.seconds.toFixed(0)} s`;
      await new Promise((wake) => setTimeout(wake, EVERY_MS));
    }
  }

  async cancel(panel) {
    const job = panel.job;
    panel.job = null;
    this.end(panel, await ask("cancel", { job }));
    panel.start.focus();
  }

  end(panel, answer) {
    panel.job = null;
    panel.start.disabled = false;
    show(panel.cancel, false);
    show(panel.progress, false);
    const words = { done: `Done in ${(answer.seconds ?? 0).toFixed(1)} s.`, cancelled: "Cancelled." };
    panel.status.textContent = words[answer.status] ?? answer.error ?? "";
    if (answer.status !== "done") return;
    panel.result.textContent = answer.result.text;
    show(panel.result, true);
    panel.changes = answer.result.changes ?? [];
    show(panel.take, panel.changes.length > 0);
    if (answer.result.chart) this.drawn(panel.chart, answer.result.chart);
  }
}
