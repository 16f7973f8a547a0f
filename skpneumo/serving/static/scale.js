// Probabilities on a scale of log odds: the scores at home on both sides, thresholds, and this image.

const NAMESPACE = "http://www.w3.org/2000/svg";
const WIDTH = 400, HEIGHT = 176, LEFT = 12, RIGHT = 12, TOP = 34, BASE = 128;
const TICKS = [0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999];
const ENDS = [-10, 10];

export const logOdds = p => Math.min(ENDS[1], Math.max(ENDS[0], Math.log(p / (1 - p))));

const xOf = value => LEFT + (WIDTH - LEFT - RIGHT) * (value - ENDS[0]) / (ENDS[1] - ENDS[0]);

function part(name, attributes, text = "") {
  const element = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text) element.textContent = text;
  return element;
}

function bars(edges, proportions, name, top) {
  const highest = Math.max(...proportions) || 1, group = part("g", { class: name });
  proportions.forEach((proportion, i) => {
    const [x, end] = [edges[i], edges[i + 1]].map(edge => xOf(Math.min(ENDS[1], Math.max(ENDS[0], edge))));
    // Square roots, so that rare scores are seen.
    const height = (BASE - top) * Math.sqrt(proportion / highest);
    if (height) group.append(part("rect", { x, y: BASE - height, width: Math.max(0.5, end - x - 0.5), height }));
  });
  return group;
}

function anchor(x) { return x < 70 ? "start" : x > WIDTH - 70 ? "end" : "middle"; }

export function drawScale(facts, { probability = null, text = "", check = null } = {}) {
  const description = probability === null
    ? "Scores of this site beside those that the model was made with."
    : `Probability ${text} on a scale, beside the decision threshold ${facts.threshold.toFixed(3)} and the scores of the X-rays that the model was made with.`;
  const svg = part("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "skp-scale", role: "img", "aria-label": description });
  const shown = check || facts.reference;
  if (shown) {
    svg.append(bars(shown.edges, shown.negative, "skp-negative", TOP + 14), bars(shown.edges, shown.positive, "skp-positive", TOP + 14));
    if (check) svg.append(bars(check.edges, check.site, "skp-here", TOP + 14));
  }
  svg.append(part("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: BASE, y2: BASE, class: "skp-axis" }));
  for (const p of TICKS) {
    const x = xOf(logOdds(p));
    svg.append(part("line", { x1: x, x2: x, y1: BASE, y2: BASE + 5, class: "skp-axis" }));
    svg.append(part("text", { x, y: BASE + 19, "text-anchor": "middle" }, String(p)));
  }
  const thresholds = [facts.threshold, facts.rule_in_threshold].filter(t => t !== null);
  thresholds.forEach((threshold, i) => {
    const x = xOf(logOdds(threshold));
    svg.append(part("line", { x1: x, x2: x, y1: TOP, y2: BASE, class: "skp-threshold" }));
    const name = thresholds.length === 1 ? "threshold" : ["rule out", "rule in"][i];
    svg.append(part("text", { x, y: HEIGHT - 6, "text-anchor": thresholds.length === 1 ? anchor(x) : ["end", "start"][i], class: "skp-threshold-label" }, `${name} ${threshold.toPrecision(3)}`));
  });
  if (probability !== null) {
    const x = xOf(logOdds(probability));
    svg.append(part("line", { x1: x, x2: x, y1: TOP - 6, y2: BASE, class: "skp-mark" }));
    svg.append(part("circle", { cx: x, cy: TOP - 6, r: 5, class: "skp-mark-point" }));
    svg.append(part("text", { x: x + (anchor(x) === "start" ? -4 : anchor(x) === "end" ? 4 : 0), y: TOP - 17, "text-anchor": anchor(x), class: "skp-mark-label" }, `this X-ray: ${text}`));
  }
  return svg;
}
