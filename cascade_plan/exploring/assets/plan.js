/* A plan on the page, beside the one that is pinned as A. */

import { bar, by, el, fill, show } from "./dom.js";

const MARKS = { pass: "✓", fail: "✗", unjudged: "?", warning: "!", info: "i" };
const SPOKEN = { pass: "met", fail: "missed", unjudged: "not judged", warning: "warning", info: "note" };
const MOST_FIGURES = 400;

const dollars = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD", signDisplay: "always", maximumFractionDigits: 2 });
const plain = new Intl.NumberFormat("en-US", { signDisplay: "always", maximumFractionDigits: 2 });

export class PlanView {
  /** `asked(figure)` is told which figure is to be explained. */
  constructor(asked) {
    this.asked = asked;
    this.figures = [];
    by("filter").addEventListener("input", () => this.list());
  }

  /** Show a plan; one that is not whole leaves what it lacks as it was. */
  render(plan, pinned, isWhole) {
    document.title = `${plan.name}: cascade-plan explore`;
    by("name").textContent = plan.name;
    by("title").textContent = plan.title.slice(plan.name.length).trim().replace("  ", " · ");
    by("sentence").textContent = plan.sentence;
    by("verdict").dataset.status = plan.status;
    by("results").classList.toggle("paired", Boolean(pinned));
    this.headline(plan, pinned);
    this.tiers(plan, pinned);
    this.latencies(plan, pinned);
    this.busy(plan);
    this.gates(plan);
    this.findings(plan, pinned);
    if (!isWhole && this.figures.length) return;
    fill(by("said"), ...plan.said.map((line) => el("li", {}, line)));
    this.figures = plan.figures;
    this.list();
  }

  why(figure, words) {
    return el(
      "button",
      { type: "button", class: "small why", "aria-label": `Why ${words}?`, title: figure, "data-key": `why-${figure}`, onclick: () => this.asked(figure) },
      "why",
    );
  }

  headline(plan, pinned) {
    const before = new Map((pinned?.headline ?? []).map((each) => [each.figure, each]));
    const tiles = plan.headline.map((each) => {
      const then = before.get(each.figure);
      return el(
        "div",
        { class: "tile" },
        el("dt", {}, each.called, " ", this.why(each.figure, `${each.called} is ${each.shown}`)),
        el("dd", {}, el("strong", {}, each.shown), " ", el("span", { class: "unit" }, each.unit)),
        then ? el("dd", { class: "before" }, `A: ${then.shown}`, " ", change(each.value, then.value, each.shown.includes("$"))) : null,
      );
    });
    fill(by("headline"), ...tiles);
  }

  tiers(plan, pinned) {
    const before = new Map((pinned?.tiers ?? []).map((each) => [each.name, each]));
    const gone = [...before.values()].filter((each) => !plan.tiers.some((tier) => tier.name === each.name));
    const most = Math.max(...plan.tiers.map((each) => each.usd), ...[...before.values()].map((each) => each.usd), 0.01);
    const rows = [...plan.tiers, ...gone.map((each) => ({ name: each.name, fleet: "not there", nodes: "", amount: "–", share: "", usd: 0 }))];
    const body = rows.map((each) => {
      const then = before.get(each.name);
      return el(
        "tr",
        {},
        el("th", { scope: "row" }, each.name, " ", each.tier ? this.why(each.tier, `${each.name} is ${each.fleet}`) : null, el("span", { class: "fleet" }, [each.nodes ? `${each.nodes} ×` : "", each.fleet].join(" ").trim())),
        el("td", { class: "drawn" }, bar(each.usd / most), pinned ? bar((then?.usd ?? 0) / most, "then") : null),
        el("td", { class: "number" }, each.amount, el("span", { class: "share" }, each.share)),
        pinned ? el("td", { class: "number" }, then?.amount ?? "–", change(each.usd, then?.usd ?? 0, true)) : null,
      );
    });
    const total = el(
      "tr",
      {},
      el("th", { scope: "row" }, "total", el("span", { class: "fleet" }, plan.range)),
      el("td", { class: "drawn" }),
      el("td", { class: "number" }, plan.total, this.why(plan.cost_figure, `a month costs ${plan.total}`)),
      pinned ? el("td", { class: "number" }, pinned.total, change(plan.cost_usd, pinned.cost_usd, true)) : null,
    );
    const head = el("tr", {}, head_("tier"), head_(""), head_("USD a month", "number"), pinned ? head_("A", "number") : null);
    fill(by("tiers"), el("thead", {}, head), el("tbody", {}, ...body), el("tfoot", {}, total));
  }

  latencies(plan, pinned) {
    const before = new Map((pinned?.latencies ?? []).map((each) => [each.figure, each]));
    const rows = plan.latencies.map((each) => {
      const then = before.get(each.figure);
      const share = (each.value ?? Infinity) / each.limit_ms;
      const mark = each.is_kept ? "pass" : "fail";
      return el(
        "tr",
        {},
        el("th", { scope: "row" }, `${each.load} ${each.percentile}`, el("span", { class: "fleet" }, `${each.users} users`)),
        el("td", { class: "drawn" }, bar(share, mark)),
        el("td", { class: `number ${mark}` }, `${MARKS[mark]} ${each.shown} ms`, el("span", { class: "share" }, `of ${each.limit_ms}`), then ? el("span", { class: "share" }, `A: ${then.shown} ms`) : null),
        el("td", {}, this.why(each.figure, `${each.percentile} of ${each.load} is ${each.shown} ms`)),
      );
    });
    const none = el("tr", {}, el("td", {}, "The scenario has no loads with limits, or no latency is predicted."));
    fill(by("latencies"), el("tbody", {}, ...(rows.length ? rows : [none])));
  }

  busy(plan) {
    const rows = plan.busy.map((each, at) =>
      el(
        "tr",
        {},
        el("th", { scope: "row" }, each.name, at === 0 ? el("span", { class: "fleet" }, "the fullest") : null),
        el("td", { class: "drawn" }, bar(each.value, at === 0 ? "first" : "")),
        el("td", { class: "number" }, each.share),
        el("td", {}, this.why(each.figure, `${each.name} is ${each.share} busy`)),
      ),
    );
    fill(by("busy"), el("tbody", {}, ...rows));
    by("bottleneck").textContent = plan.bottleneck ? `When all users at peak act, ${plan.bottleneck}.` : "";
  }

  gates(plan) {
    by("gate-counts").textContent = plan.gate_counts;
    const order = ["fail", "unjudged", "pass"];
    const sorted = [...plan.gates].sort((one, other) => order.indexOf(one.status) - order.indexOf(other.status));
    const rows = sorted.map((each) =>
      el(
        "li",
        { class: each.status },
        el("span", { class: "mark", "aria-hidden": "true" }, MARKS[each.status]),
        el("span", {}, el("span", { class: "unseen" }, `${SPOKEN[each.status]}: `), each.called, el("span", { class: "fleet" }, each.line)),
        each.figure ? this.why(each.figure, `the gate on ${each.called} is ${SPOKEN[each.status]}`) : null,
      ),
    );
    fill(by("gates"), ...(rows.length ? rows : [el("li", {}, "The scenario has no gates.")]));
  }

  findings(plan, pinned) {
    const warnings = plan.findings.filter((each) => each.severity === "warning").length;
    by("finding-counts").textContent = `${warnings} warnings, ${plan.findings.length - warnings} notes`;
    const key = (each) => `${each.code} ${each.where}`;
    const before = pinned ? new Set(pinned.findings.map(key)) : null;
    const now = new Set(plan.findings.map(key));
    const item = (each, more) =>
      el(
        "li",
        { class: each.severity },
        el("span", { class: "mark", "aria-hidden": "true" }, MARKS[each.severity] ?? "i"),
        el("span", {}, el("span", { class: "unseen" }, `${SPOKEN[each.severity] ?? "note"}: `), more ? el("b", { class: "tag" }, more) : null, each.words, el("span", { class: "fleet" }, each.where)),
      );
    const rows = plan.findings.map((each) => item(each, before && !before.has(key(each)) ? "new" : ""));
    const gone = pinned ? pinned.findings.filter((each) => !now.has(key(each))).map((each) => item(each, "gone")) : [];
    fill(by("findings"), ...(rows.length + gone.length ? [...rows, ...gone] : [el("li", {}, "Nothing to know.")]));
  }

  /** All figures whose name holds what is looked for. */
  list() {
    const wanted = by("filter").value.trim().toLowerCase();
    const found = this.figures.filter((each) => each.figure.includes(wanted)).slice(0, MOST_FIGURES);
    const rows = found.map((each) =>
      el(
        "tr",
        {},
        el("th", { scope: "row" }, each.figure),
        el("td", { class: "number" }, each.shown, " ", el("span", { class: "unit" }, each.unit)),
        el("td", {}, this.why(each.figure, `${each.figure} is ${each.shown}`)),
      ),
    );
    fill(by("figures"), el("tbody", {}, ...rows));
  }
}

function head_(words, kind = "") {
  return el("th", { scope: "col", class: kind || null }, words);
}

/** By how much a number is more or less than it was. */
function change(now, then, isMoney) {
  const by_ = (now ?? 0) - (then ?? 0);
  const words = Math.abs(by_) < 0.005 ? "same" : (isMoney ? dollars : plain).format(by_);
  const kind = Math.abs(by_) < 0.005 ? "even" : by_ > 0 ? "more" : "less";
  return el("span", { class: `change ${kind}` }, words);
}

/** Say that what is shown is not of the values that the controls have. */
export function stale(isStale) {
  show(by("stale"), isStale);
  by("results").classList.toggle("old", isStale);
}
