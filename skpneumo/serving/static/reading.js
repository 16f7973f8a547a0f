// The reading list: image after image, without scores, by the keyboard.

import { fetchBlob, fetchJSON, make, postJSON } from "./api.js";
import { Viewer } from "./viewer.js";

const find = selector => document.querySelector(selector);
const page = find("[data-reading]"), viewer = new Viewer(find("[data-viewer]"));
const KEYS = { n: "negative", p: "positive", u: "unsure" };
let reader = "", isThird = false, state = null, isBusy = false;

const parts = ["begin", "who", "read", "wait", "result", "loading"];
function show(name) {
  for (const part of parts) page.querySelector(`[data-${part}]`).hidden = part !== name;
}

function fail(error) {
  const box = find("[data-error]");
  box.hidden = !error;
  box.textContent = error ? error.message : "";
}

const address = back => `/reading-list?${new URLSearchParams({ reader, is_third: isThird, ...(back === undefined ? {} : { back }) })}`;

async function start() {
  show("loading");
  find("[data-loading-text]").textContent = "The X-rays of the folder are looked through …";
  await update(await fetchJSON(address()));
}

async function update(next) {
  state = next;
  if (!state.is_begun) { show("begin"); return; }
  if (state.result) { drawResult(); show("result"); return; }
  if (!reader) { askWho(); return; }
  if (state.row === null) {
    find("[data-wait-text]").textContent = state.waiting_for || "There is nothing to read now.";
    show("wait");
    return;
  }
  show("read");
  drawProgress();
  await showImage(state.row);
}

function askWho() {
  find("[data-third-part]").hidden = state.n_readers < 2;
  const who = state.readers.length ? ` Readers so far: ${state.readers.join(", ")}.` : "";
  const open = state.n_disagreements ? ` Open disagreements: ${state.n_disagreements}.` : "";
  find("[data-so-far]").textContent = `${state.n_labelled} of ${state.n_images} X-rays have a label; about ${state.n_remaining} remain.${who}${open}`;
  show("who");
  find("#reader").focus();
}

function drawProgress() {
  const { n_labelled: n, n_remaining: left } = state;
  find("[data-read] [data-progress]").value = n / (n + left);
  const mine = isThird ? "Disagreements: " + state.n_disagreements : `You have read ${state.n_read_by_me}`;
  find("[data-read] [data-progress-text]").textContent = `${mine}. ${n} X-rays have a label, about ${left} remain. Reader: ${reader}${isThird ? ", deciding" : ""}.`;
  find("[data-back]").disabled = isThird || !state.n_read_by_me;
  for (const button of document.querySelectorAll("[data-label]")) button.setAttribute("aria-pressed", String(button.dataset.label === state.label));
  find("[data-question]").textContent = state.label ? "What do you see? You read this X-ray before." : "What do you see?";
}

async function showImage(row) {
  viewer.clear();
  viewer.setBusy(true);
  try {
    const blob = await fetchBlob(`/reading-list/${row}/picture`);
    if (state.row === row) await viewer.show(blob);
  } finally { viewer.setBusy(false); }
}

async function attempt(action) {
  if (isBusy) return;
  isBusy = true;
  page.setAttribute("aria-busy", "true");
  fail(null);
  try { await action(); } catch (error) { fail(error); } finally { isBusy = false; page.removeAttribute("aria-busy"); }
}

const record = label => attempt(async () => {
  const next = await postJSON("/reading-list/readings", { reader, row: state.row, label, is_third: isThird });
  find("[data-read] [data-message]").textContent = "Recorded.";
  await update(next);
});

const goBack = () => attempt(async () => update(await fetchJSON(address(state.row))));

function drawResult() {
  const { result } = state, part = find("[data-result]");
  part.replaceChildren(make("h2", "skp-h2", result.is_certified ? "The recall is certified" : "The recall cannot be certified"));
  const facts = make("dl", "skp-facts");
  const add = (name, value) => facts.append(make("div", "", "", make("dt", "", name), make("dd", "", value)));
  const percent = value => `${(100 * value).toFixed(1)}%`;
  if (result.is_certified) add("Decision threshold", result.threshold.toPrecision(4));
  add("Certified recall", percent(result.recall_lower_bound));
  add("X-rays read", `${result.n_labelled} of ${result.n_images}`);
  if (result.specificity !== null) add("Specificity, estimated", percent(result.specificity));
  part.append(facts, make("p", "", `${result.description.charAt(0).toUpperCase()}${result.description.slice(1)}.`.replace("..", ".")));
  if (result.specificity !== null) {
    const [low, high] = result.specificity_interval.map(percent);
    part.append(make("p", "", `What it costs: about ${percent(1 - result.specificity)} of the patients without pneumonia are predicted positive (specificity ${low} to ${high}, by those of the random samples).`));
  }
  if (result.model_file) part.append(make("p", "", "", "The model with this threshold is in the folder: ", make("code", "", result.model_file), ". Serve or predict with it: ", make("code", "", `skpneumo serve FOLDER/${result.model_file}`), "."));
}

find("[data-begin]").addEventListener("submit", event => {
  event.preventDefault();
  const form = new FormData(event.target);
  const wanted = { min_recall: Number(form.get("min_recall")), confidence: Number(form.get("confidence")), n_readers: Number(form.get("n_readers")) };
  show("loading");
  find("[data-loading-text]").textContent = "The model scores the folder. A thousand X-rays take about a minute …";
  attempt(async () => { try { await update(await postJSON("/reading-list", wanted)); } catch (error) { show("begin"); throw error; } });
});
find("[data-who]").addEventListener("submit", event => {
  event.preventDefault();
  reader = find("#reader").value.trim();
  isThird = event.target.elements.third.checked && state.n_readers > 1;
  if (reader) attempt(async () => { await update(await fetchJSON(address())); viewer.canvas.focus({ preventScroll: true }); });
});
document.querySelectorAll("[data-label]").forEach(button => button.addEventListener("click", () => record(button.dataset.label)));
find("[data-back]").addEventListener("click", goBack);
find("[data-again]").addEventListener("click", () => attempt(async () => update(await fetchJSON(address()))));
document.querySelectorAll("[data-leave]").forEach(button => button.addEventListener("click", () => attempt(async () => { reader = ""; await update(await fetchJSON(address())); })));
document.addEventListener("keydown", event => {
  const isTyping = /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName);
  if (find("[data-read]").hidden || isTyping || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const key = event.key.toLowerCase();
  if (key in KEYS) { event.preventDefault(); record(KEYS[key]); }
  if ((key === "b" || key === "backspace") && !find("[data-back]").disabled) { event.preventDefault(); goBack(); }
});
start().catch(error => { show("nothing"); fail(error); });
