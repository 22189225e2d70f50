"""A page of one file: text, and charts that the page itself draws; nothing is loaded, and nothing in it can run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from typing import Any, Final

from cascade_plan.languages import json
from cascade_plan.reports._marks import GREY, GRID, INK, PAPER, Spec
from cascade_plan.reports._words import one_line

OWN: Final[Mapping[str, str]] = {
    INK: "currentColor",
    GREY: "#7a7a7a",
    GRID: "#80808038",
    PAPER: "transparent",
}
"""Colours of a chart that a page replaces, so that it is read on paper and on a dark page alike."""
SHORT: Final = 14
"""Characters of a cell that is not folded."""
STYLE: Final = """
:root { color-scheme: light dark; --ink: #1a1a1a; --soft: #5c5c5c; --line: #d9d9d9; --paper: #fff; --well: #f5f5f3;
  --good: #00734f; --bad: #b84a00; --link: #0061a0; }
@media (prefers-color-scheme: dark) { :root { --ink: #ececec; --soft: #a8a8a8; --line: #444; --paper: #17181a;
  --well: #222427; --good: #4cc79b; --bad: #ff9a57; --link: #7cc0f2; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 "Liberation Sans", Arial, Helvetica,
  sans-serif; overflow-wrap: anywhere; }
main { max-width: 960px; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .5rem; }
h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; border-bottom: 1px solid var(--line); padding-bottom: .2rem; }
h3 { font-size: 1rem; margin: 1.2rem 0 .3rem; }
p { margin: .4rem 0 .8rem; }
a { color: var(--link); }
code { font: .88em "Liberation Mono", Menlo, Consolas, monospace; background: var(--well); padding: 0 .2em; }
figure { margin: 1rem 0; }
figure svg { max-width: 100%; height: auto; }
table { border-collapse: collapse; font-size: .9rem; min-width: 100%; }
.wide { overflow-x: auto; margin: .5rem 0 1rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid var(--line);
  overflow-wrap: normal; }
th { font-weight: 600; vertical-align: bottom; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
td.n, td.s { white-space: nowrap; }
td:not(.n):not(.s) { min-width: 9rem; }
th button { font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer;
  text-align: inherit; font-weight: 600; }
th button::after { content: "\\2195"; opacity: .4; padding-left: .3em; }
th[aria-sort=ascending] button::after { content: "\\2191"; opacity: 1; }
th[aria-sort=descending] button::after { content: "\\2193"; opacity: 1; }
tr.total td { font-weight: 600; border-top: 2px solid var(--soft); }
.appendix { border-top: 3px double var(--line); margin-top: 3rem; }
.vega-embed { width: 100%; }
.vega-embed summary { opacity: .3; }
#vg-tooltip-element { font: 13px "Liberation Sans", Arial, sans-serif; }
@media print { :root { --ink: #000; --soft: #444; --line: #bbb; --paper: #fff; --well: #f4f4f4; --good: #00573c;
  --bad: #8a3800; color-scheme: light; } body { font-size: 9.5pt; line-height: 1.35; }
  main { max-width: none; padding: 0; }
  h2, h3 { break-after: avoid; } tr, figure { break-inside: avoid; }
  .appendix { break-before: page; border: 0; margin: 0; } .wide { overflow: visible; }
  th button::after, .vega-embed details { display: none !important; }
  table { font-size: 8pt; } th, td { padding: .12rem .4rem; } h1 { font-size: 1.5rem; } a { color: inherit; }
  h2 { font-size: 1.05rem; margin: .8rem 0 .2rem; } p { margin: .2rem 0 .4rem; } .wide { margin: .2rem 0 .4rem; }
  main > h2:has(+ figure) { break-before: page; } figure { margin: .4rem 0; } td:not(.n):not(.s) { min-width: 0; }
  figure svg.marks { max-height: 8.2cm; width: auto; } }
"""
FITTED: Final = """
const room = 92;
function sized(view, width, names) {
  const out = Object.assign({}, view);
  for (const part of ["vconcat", "concat", "layer"])
    if (out[part]) out[part] = out[part].map(each => sized(each, width, names));
  if (out.mark && out.mark.limit) out.mark = Object.assign({}, out.mark, {limit: names});
  for (const at of ["x", "y"]) if (((out.encoding || {})[at] || {}).axis && out.encoding[at].axis.labelLimit)
    out.encoding = Object.assign({}, out.encoding, {[at]: Object.assign({}, out.encoding[at], {axis:
      Object.assign({}, out.encoding[at].axis, {labelLimit: names})})});
  if (out.layer || out.width) out.width = Math.min(out.width || width, width);
  if (out.concat && width < 600) out.columns = 1;
  if (out.title && typeof out.title === "object") out.title = Object.assign({limit: width + room}, out.title);
  return out;
}
function lines(words, width) {
  const most = Math.max(24, Math.floor(width / 6.2)), found = [];
  for (const text of [].concat(words || [])) {
    let line = "";
    for (const word of String(text).split(" ")) {
      if (line && (line + " " + word).length > most) { found.push(line); line = word; }
      else line = line ? line + " " + word : word;
    }
    found.push(line);
  }
  return found;
}
function fitted(spec, whole) {
  const names = Math.min((spec.usermeta || {}).names || 0, whole * .42);
  const out = sized(spec, Math.max(140, whole - room - names), names);
  if (whole < 560 && out.config && out.config.legend)
    out.config = Object.assign({}, out.config, {legend: Object.assign({}, out.config.legend, {columns: 3})});
  if (spec.title) out.title = Object.assign({}, spec.title, {text: lines(spec.title.text, whole * .7),
    subtitle: lines(spec.title.subtitle, whole)});
  return out;
}
"""
"""A script's function `fitted`, which returns a specification whose chart is not wider than so many pixels."""
DRAW: Final = (
    """
"use strict";
(function () {"""
    + FITTED
    + """
  const specs = JSON.parse(document.getElementById("charts").textContent);
  function draw(figure) {
    const out = fitted(specs[figure.dataset.chart], figure.clientWidth);
    const options = {renderer: "svg", ast: true, mode: "vega-lite", actions: {export: {svg: true, png: false},
      source: false, compiled: false, editor: false}, tooltip: {theme: matchMedia("(prefers-color-scheme: dark)")
      .matches ? "dark" : "light"}};
    return vegaEmbed(figure, out, options);
  }
  const figures = [...document.querySelectorAll("figure[data-chart]")];
  let drawn = 0;
  async function all() {
    if (drawn === document.body.clientWidth) return;
    drawn = document.body.clientWidth;
    for (const figure of figures) await draw(figure);
    document.documentElement.dataset.drawn = "yes";
  }
  let later;
  addEventListener("resize", () => { clearTimeout(later); later = setTimeout(all, 150); });
  all();
  function value(cell) {
    const given = cell.dataset.value;
    return given === undefined ? cell.textContent : Number(given);
  }
  for (const table of document.querySelectorAll("table.sortable")) {
    table.querySelectorAll("thead th").forEach((head, column) => {
      if (!head.textContent) return;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const up = head.getAttribute("aria-sort") !== "ascending", body = table.tBodies[0];
        for (const other of table.querySelectorAll("th")) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        const rows = [...body.rows].sort((one, other) => {
          const a = value(one.cells[column]), b = value(other.cells[column]);
          const order = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
          return up ? order : -order;
        });
        body.append(...rows);
      });
    });
  }
})();
"""
)


class Html(str):
    """Text that is HTML already and is not escaped again."""

    __slots__ = ()


def page(title: str, body: str, charts: Mapping[str, Spec], scripts: Sequence[str]) -> str:
    """Return a page: `body` is HTML, whose figures with `data-chart` show the charts of these names.

    `scripts` are those that draw Vega-Lite specifications.

    Its policy lets the browser load nothing and run none but the scripts that are here, by their hashes.
    """
    data = _in_script(json.dump({name: of_page(spec) for name, spec in sorted(charts.items())}, indent=None))
    run = [*scripts, DRAW]
    policy = (
        f"default-src 'none'; script-src {' '.join(map(_hash, run))}; style-src 'unsafe-inline'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    head = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="referrer" content="no-referrer">',
        f"<title>{escape(one_line(title))}</title>",
        f"<style>{STYLE}</style>",
        "</head>",
        "<body>",
        body,
        f'<script type="application/json" id="charts">{data}</script>',
    ]
    tail = [*(f"<script>{script}</script>" for script in run), "</body>", "</html>"]
    return "\n".join([*head, *tail]) + "\n"


def table(
    headers: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int] = (), is_total: bool = False
) -> str:
    """Return a table whose columns can be sorted; the last row is a total that stays below where `is_total`.

    Headers and cells are text, or Html as it is. A cell of the columns `numbers` is sorted by the first number in it.
    """
    top = "".join(f"<th{_kind(index, numbers)}>{_shown(header)}</th>" for index, header in enumerate(headers))
    listed = rows[:-1] if is_total else rows
    body = "".join(f"<tr>{_cells(row, numbers)}</tr>" for row in listed)
    foot = f'<tfoot><tr class="total">{_cells(rows[-1], numbers)}</tr></tfoot>' if is_total and rows else ""
    whole = f"<thead><tr>{top}</tr></thead><tbody>{body}</tbody>{foot}"
    return f'<div class="wide"><table class="sortable">{whole}</table></div>'


def _cells(row: Sequence[str], numbers: Sequence[int]) -> str:
    return "".join(_cell(index, cell, numbers) for index, cell in enumerate(row))


def _cell(index: int, cell: str, numbers: Sequence[int]) -> str:
    value = f' data-value="{_number(cell)}"' if index in numbers else ""
    kind = _kind(index, numbers) or (' class="s"' if len(cell) <= SHORT else "")
    return f"<td{kind}{value}>{_shown(cell)}</td>"


def _shown(text: str) -> str:
    return text if isinstance(text, Html) else escape(one_line(text))


def _kind(index: int, numbers: Sequence[int]) -> str:
    return ' class="n"' if index in numbers else ""


def _number(cell: str) -> str:
    """Return the number that a cell shows, for sorting; below all others where it shows none.

    >>> _number("$1,234.50"), _number("-$3"), _number("12.5%"), _number("")
    ('1234.50', '-3', '12.5', '-1e308')
    """
    import re

    found = re.search(r"-?[0-9][0-9,]*(\.[0-9]+)?", cell.replace("$", ""))
    return found.group().replace(",", "") if found else "-1e308"


def of_page(value: Any) -> Any:
    """Return a specification in the page's own colours."""
    if isinstance(value, Mapping):
        return {key: of_page(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [of_page(each) for each in value]
    return OWN.get(value, value) if isinstance(value, str) else value


def _in_script(text: str) -> str:
    """Return JSON of which no part ends or opens an element."""
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


@cache
def _hash(script: str) -> str:
    """Return a script's source of a policy (https://www.w3.org/TR/CSP3/#grammardef-hash-source)."""
    from base64 import b64encode
    from hashlib import sha256

    return f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'"
