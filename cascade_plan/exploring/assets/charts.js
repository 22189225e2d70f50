/* Charts: Vega-Lite specifications, drawn here by scripts that come with the program. */

import { el, show } from "./dom.js";
import { fitted } from "./fitted.js";

const OPTIONS = { renderer: "svg", ast: true, mode: "vega-lite", actions: false, defaultStyle: false, tooltip: { disableDefaultStyle: true } };
const AGAIN_MS = 200;

let loading = null;
const drawn = new Map();

/** Load what draws, once, when the first chart is there. */
function loaded() {
  loading ??= new Promise((done, failed) => {
    document.head.append(el("script", { src: "assets/drawing.js", onload: done, onerror: () => failed(new Error("assets/drawing.js does not load")) }));
  });
  return loading;
}

/** Draw a chart in its place; the one that was there stays until the new one is ready. */
export async function draw(place, spec) {
  show(place, true);
  const before = drawn.get(place);
  const mine = { spec, width: place.clientWidth };
  drawn.set(place, mine);
  if (mine.width === 0) return;
  await loaded();
  const inner = el("div");
  const hidden = el("div", { class: "drawing", role: "figure", "aria-label": spec.description ?? null }, inner);
  place.append(hidden);
  const result = await vegaEmbed(inner, fitted(spec, mine.width), OPTIONS);
  if (drawn.get(place) !== mine) {
    result.finalize();
    hidden.remove();
    return;
  }
  mine.finalize = () => result.finalize();
  before?.finalize?.();
  hidden.className = "";
  place.replaceChildren(hidden);
}

let later = 0;
addEventListener("resize", () => {
  clearTimeout(later);
  later = setTimeout(() => {
    for (const [place, { spec, width }] of drawn) if (place.clientWidth !== width) draw(place, spec);
  }, AGAIN_MS);
});
