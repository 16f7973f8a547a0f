// The answer for one X-ray: warnings first, then the answer, then what it means for a patient.

import { make } from "./api.js";
import { drawScale } from "./scale.js";

export function keyOf(facts, withSite = false) {
  const list = make("ul", "skp-key", "", make("li", "", "The X-rays that the model was made with, labelled"));
  const [negative, positive] = facts.classes;
  const parts = [["skp-negative", negative], ["skp-positive", positive]];
  if (withSite) parts.push(["skp-here", "this site"]);
  for (const [name, text] of parts) list.append(make("li", "", "", make("i", name), text));
  return list;
}

const box = (level, ...texts) => make("div", `skp-note-box skp-${level}`, "", ...texts.map(text => make("p", "", text)));

export const errorBox = text => Object.assign(box("error", text), { role: "alert" });

// No probability is 0 or 1.
export const format = p => p >= 0.9995 ? "> 0.999" : p < 0.0005 ? "< 0.001" : p.toFixed(3);

const capitalised = text => text.charAt(0).toUpperCase() + text.slice(1);

// What the answer is worth at a prevalence, by Bayes's rule.
function drawCertainty(answer, facts) {
  const { recall, specificity } = facts.reference, [negative, positive] = facts.classes;
  const isPositive = answer.label === positive;
  const part = make("div", "skp-sure"), output = document.createElement("output"), text = make("p");
  const slider = Object.assign(document.createElement("input"), { type: "range", min: 1, max: 90, value: 25 });
  const id = `prevalence-${Math.random().toString(36).slice(2)}`;
  slider.id = id;
  const label = Object.assign(make("label", "", "How many of 100 of your patients have pneumonia? "), { htmlFor: id });
  label.append(output);
  const update = () => {
    const p = slider.value / 100, hit = recall * p, falsePositive = (1 - specificity) * (1 - p), miss = (1 - recall) * p, clear = specificity * (1 - p);
    const [with_, all] = isPositive ? [hit, hit + falsePositive] : [miss, miss + clear];
    output.textContent = slider.value;
    const n = all ? Math.round(100 * with_ / all) : 0;
    const few = with_ > 0 && n === 0 ? "fewer than 1" : `about ${n}`;
    text.textContent = `Then ${few} of 100 with this answer (${isPositive ? positive : negative}) have it, if the model errs as often as on the X-rays that it was made with.`;
  };
  slider.addEventListener("input", update);
  update();
  part.append(make("h3", "skp-h3", "What does that mean for a patient?"), label, slider, text);
  return part;
}

export function renderAnswer(element, answer, facts, { site = null, name = "" } = {}) {
  element.replaceChildren();
  if (site) element.append(box(site.shift === "population" ? "error" : "warning", `${site.headline}. ${site.advice}`));
  if (answer.warnings.length) element.append(box("warning", ...answer.warnings));
  const isPredicted = answer.outcome === "predicted";
  if (!isPredicted) element.append(box(answer.outcome === "unreadable" ? "error" : "warning", capitalised(answer.reason)));
  element.append(make("h2", "skp-headline", answer.headline), make("p", "skp-file", name || answer.file));
  if (!isPredicted) {
    if (answer.outlier_score !== null) element.append(make("p", "skp-note", `Outlier score ${answer.outlier_score.toFixed(2)}; above 1 an image is out of distribution.`));
    return;
  }
  element.append(make("p", "skp-probability", format(answer.probability)), make("p", "skp-note", `probability of ${facts.positive}`));
  element.append(drawScale(facts, { probability: answer.probability, text: format(answer.probability) }));
  if (facts.reference) element.append(keyOf(facts));
  for (const sentence of answer.sentences) element.append(make("p", "", sentence));
  if (facts.reference && answer.triage === null) element.append(drawCertainty(answer, facts));
  if (answer.outlier_score !== null) element.append(make("p", "skp-note", `Outlier score ${answer.outlier_score.toFixed(2)} (above 1: out of distribution).`));
}

export function renderCheck(element, check, facts) {
  const level = { population: "error", prevalence: "warning", none: "good" }[check.shift];
  const details = make("details", "skp-card", "", make("summary", "", "Scores of this site"));
  const table = make("table"), body = make("tbody");
  for (const [name, value] of check.rows) {
    const head = make("th", "", name);
    head.scope = "row";
    body.append(make("tr", "", "", head, make("td", "", value)));
  }
  table.append(body);
  details.append(drawScale(facts, { check }), keyOf(facts, true), table);
  element.replaceChildren(box(level, `${check.headline}.`, check.meaning, check.advice), details);
}
