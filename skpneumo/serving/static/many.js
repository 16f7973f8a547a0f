// The page for many X-rays: a list that grows while they are predicted.

import { acceptDrops, fetchBlob, fetchJSON, formOf, make, postJSON, predict, wait } from "./api.js";
import { errorBox, format, renderAnswer, renderCheck } from "./answer.js";
import { readLabels, toCSV } from "./tables.js";
import { Viewer } from "./viewer.js";

const find = selector => document.querySelector(selector);
const AT_ONCE = 2, MAX_SHOWN = 500, MIN_TO_CHECK = 20;
const page = find("[data-many]");
const facts = await fetchJSON("/model");
const viewer = new Viewer(find("[data-viewer]"));
const FILTERS = {
  all: ["All", () => true],
  positive: [facts.positive, row => row.answer?.label === facts.positive],
  negative: [facts.classes[0], row => row.answer?.label === facts.classes[0]],
  read: ["To be read", row => row.answer?.triage === "to be read"],
  none: ["No answer", row => row.answer && row.answer.outcome !== "predicted"],
  wrong: ["Label differs", row => row.label && row.answer?.label && row.label !== row.answer.label],
};
if (facts.rule_in_threshold === null) delete FILTERS.read;
let list = newList(), filter = "all", drawn = 0;

function newList() { return { rows: [], stopped: false, isFolder: false, check: null, nTotal: 0, opened: null }; }

const done = () => list.rows.filter(row => row.answer);
const predicted = () => list.rows.filter(row => row.answer?.outcome === "predicted");

// Files ------------------------------------------------------------------------------------------

async function filesOf(entry, path = "") {
  if (entry.isFile) return [{ file: await new Promise((take, refuse) => entry.file(take, refuse)), path: path + entry.name }];
  const reader = entry.createReader(), found = [];
  for (;;) {
    const entries = await new Promise((take, refuse) => reader.readEntries(take, refuse));
    if (!entries.length) return found;
    for (const one of entries) found.push(...await filesOf(one, `${path}${entry.name}/`));
  }
}

async function takeDrop(data) {
  const entries = [...data.items].map(item => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) { take([...data.files].map(file => ({ file, path: file.name }))); return; }
  take((await Promise.all(entries.map(entry => filesOf(entry)))).flat());
}

async function take(files) {
  const shown = files.filter(({ file }) => !file.name.startsWith(".") && !/^(thumbs\.db|desktop\.ini|dicomdir)$/i.test(file.name));
  const tables = shown.filter(({ file }) => /\.csv$/i.test(file.name));
  const rows = shown.filter(one => !tables.includes(one)).map(({ file, path }) => ({ file, path, answer: null, label: labelOfPath(path) }));
  if (list.isFolder) list = newList();
  list.rows.push(...rows);
  // A check of fewer files.
  list.check = null;
  find("[data-site]").replaceChildren();
  list.nTotal = list.rows.length;
  list.stopped = false;
  for (const { file } of tables) await takeLabels(file);
  find("[data-list-part]").hidden = false;
  update();
  const mine = list, waiting = rows[Symbol.iterator]();
  await Promise.all(Array.from({ length: AT_ONCE }, () => work(mine, waiting)));
  if (mine === list) update();
}

async function work(mine, waiting) {
  for (const row of waiting) {
    if (mine.stopped || mine !== list) return;
    row.answer = await answerOf(row.file);
    if (mine === list) schedule();
  }
}

async function answerOf(file) {
  const failed = reason => ({ file: file.name, outcome: "failed", reason, warnings: [], probability: null, label: null, triage: null, outlier_score: null, patient: null, headline: "No answer", sentences: [] });
  if (file.size > Number(page.dataset.maxBytes)) return failed("this file is larger than the server accepts.");
  try { return await predict(file); } catch (error) { return failed(error.message); }
}

function labelOfPath(path) {
  const folders = path.split("/").slice(0, -1).map(part => part.toLowerCase());
  const found = facts.classes.filter(label => folders.includes(label.toLowerCase()));
  return found.length === 1 ? found[0] : null;
}

async function takeLabels(file) {
  const { labels, error } = readLabels(await file.text(), facts.classes);
  find("[data-message]").textContent = error || "";
  const nameOf = row => row.path.split("/").pop();
  const timesOf = list.rows.reduce((times, row) => times.set(nameOf(row), (times.get(nameOf(row)) ?? 0) + 1), new Map());
  let n = 0;
  for (const row of list.rows) {
    // A name alone says which file is meant only if no other one has it.
    const label = labels.get(row.path) ?? (timesOf.get(nameOf(row)) === 1 ? labels.get(nameOf(row)) : undefined);
    if (label !== undefined) { row.label = label; n++; }
  }
  if (!error) find("[data-message]").textContent = `${n} of ${list.rows.length} files have a label in the table, which holds ${labels.size}.`;
  update();
}

// The folder of the server -----------------------------------------------------------------------

async function showFolder() {
  list = Object.assign(newList(), { isFolder: true });
  find("[data-site]").replaceChildren();
  find("[data-list-part]").hidden = false;
  const mine = list;
  for (let delay = 0.5; mine === list; delay = Math.min(3, 1.3 * delay)) {
    const state = await fetchJSON(`/folder?since=${mine.rows.length}`);
    mine.nTotal = state.n_files;
    for (const { row, path, label, prediction } of state.rows) mine.rows.push({ row, label, answer: prediction, path });
    mine.note = state.site_note;
    if (state.site_check) mine.check = state.site_check;
    if (mine === list) update();
    const isBehind = mine.rows.length < state.n_done;
    if (!isBehind && state.n_done === state.n_files && (state.site_check || state.site_note)) return;
    if (!isBehind) await wait(delay);
  }
}

// The table --------------------------------------------------------------------------------------

function schedule() {
  if (performance.now() - drawn > 400) { update(); return; }
  clearTimeout(schedule.timer);
  schedule.timer = setTimeout(update, 450);
}

function shownRows() {
  const text = find("[data-search]").value.trim().toLowerCase(), [, isShown] = FILTERS[filter];
  const rows = done().filter(row => isShown(row) && row.path.toLowerCase().includes(text));
  const key = row => row.answer.probability ?? -1;
  return rows.sort((a, b) => key(b) - key(a) || a.path.localeCompare(b.path));
}

function update() {
  drawn = performance.now();
  const n = done().length, all = list.nTotal, noAnswer = n - predicted().length;
  const working = n < all && !list.stopped;
  find("[data-progress]").value = all ? n / all : 0;
  find("[data-progress]").hidden = !working;
  find("[data-progress-text]").textContent = `${n} of ${all} files${working ? " …" : ""}: ${predicted().length} predicted, ${noAnswer} without an answer.`;
  find("[data-stop]").hidden = !working || list.isFolder;
  drawFilters();
  drawRows(shownRows());
  const labelled = predicted().filter(row => row.label);
  find("[data-report]").disabled = working || new Set(labelled.map(row => row.label)).size < 2;
  find("[data-check]").disabled = working || list.isFolder || predicted().length < MIN_TO_CHECK || !facts.reference;
  find("[data-check]").hidden = list.isFolder;
  if (list.check) { if (!find("[data-site]").hasChildNodes()) renderCheck(find("[data-site]"), list.check, facts); }
  else find("[data-site]").replaceChildren(...(list.note ? [make("p", "skp-note", list.note)] : []));
}

function drawFilters() {
  const buttons = Object.entries(FILTERS).map(([name, [text, isShown]]) => {
    const button = make("button", "", `${text} ${done().filter(isShown).length}`);
    Object.assign(button, { type: "button" }).dataset.filter = name;
    button.setAttribute("aria-pressed", String(name === filter));
    return button;
  });
  const focused = document.activeElement?.dataset?.filter;
  find("[data-filters]").replaceChildren(...buttons);
  if (focused) find(`[data-filter="${focused}"]`).focus();
}

function drawRows(rows) {
  const focused = document.activeElement?.dataset?.open;
  find("[data-rows]").replaceChildren(...rows.slice(0, MAX_SHOWN).map(drawRow));
  if (focused) find(`[data-open="${focused}"]`)?.focus();
  const more = rows.length - MAX_SHOWN;
  find("[data-more]").hidden = more <= 0;
  find("[data-more]").textContent = `${more} more are in the CSV. Filter to see them here.`;
}

function meter(probability) {
  const part = make("span", "skp-meter");
  part.setAttribute("aria-hidden", "true");
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const bar = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  bar.setAttribute("width", `${100 * probability}%`);
  bar.setAttribute("height", "100%");
  svg.append(bar);
  part.append(svg);
  return part;
}

function drawRow(row) {
  const { answer } = row, button = make("button", "", row.path);
  button.type = "button";
  button.dataset.open = list.rows.indexOf(row);
  const number = make("td", "skp-number");
  if (answer.probability !== null) number.append(make("b", "", format(answer.probability)), meter(answer.probability));
  const note = [answer.reason, ...answer.warnings].filter(Boolean).join(" ");
  return make("tr", answer.label === facts.positive ? "skp-is-positive" : "", "",
    make("td", "", "", button), number, make("td", "skp-label", answer.triage || answer.label || "no answer"),
    make("td", "skp-true", row.label || ""), make("td", "skp-reason", note));
}

// One of them ------------------------------------------------------------------------------------

async function open(row) {
  list.opened = row;
  const dialog = find("[data-dialog]"), isMine = () => list.opened === row;
  if (!dialog.open) dialog.showModal();
  find("[data-title]").textContent = row.path;
  viewer.clear();
  viewer.setBusy(true);
  const site = list.check && list.check.shift !== "none" ? list.check : null;
  renderAnswer(find("[data-dialog] [data-answer]"), row.answer, facts, { site, name: row.path });
  const picture = kind => row.file ? fetchBlob(`/${kind}`, formOf("file", row.file)) : fetchBlob(`/folder/${row.row}/${kind}`);
  try {
    const blob = await picture("picture");
    if (isMine()) await viewer.show(blob);
  } catch { /* The answer says why. */ } finally { if (isMine()) viewer.setBusy(false); }
  if (!isMine()) return;
  if (row.answer.outcome !== "predicted" || !facts.has_heatmaps) { viewer.noHeatmap("No heatmap"); return; }
  viewer.waitForHeatmap();
  try {
    const blob = await picture("heatmap");
    if (isMine()) await viewer.showHeatmap(blob);
  } catch { if (isMine()) viewer.noHeatmap("No heatmap"); }
}

function step(by) {
  const rows = shownRows(), next = rows[rows.indexOf(list.opened) + by];
  if (next) open(next);
}

// What may be done -------------------------------------------------------------------------------

function download(text, name) {
  const link = make("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

async function checkSite() {
  const images = predicted().map(row => ({ file: "", probability: row.answer.probability, patient: row.answer.patient }));
  try {
    list.check = await postJSON("/check-site", { images });
    find("[data-site]").replaceChildren();
    update();
  } catch (error) { find("[data-site]").replaceChildren(errorBox(error.message)); }
}

function fillReport() {
  const form = find("[data-report-form]");
  form.action = list.isFolder ? "/folder/report" : "/report";
  const labelled = predicted().filter(row => row.label);
  const images = labelled.map(row => ({ file: "", probability: row.answer.probability, patient: row.answer.patient, label: row.label }));
  form.elements.images.value = list.isFolder ? "" : JSON.stringify({ images });
  form.elements.labels.value = JSON.stringify(Object.fromEntries(labelled.map(row => [row.row, row.label])));
}

acceptDrops(find("[data-drop]"), takeDrop);
document.querySelectorAll("[data-files]").forEach(input => input.addEventListener("change", () => {
  take([...input.files].map(file => ({ file, path: file.webkitRelativePath || file.name })));
  input.value = "";
}));
find("[data-labels]").addEventListener("change", event => { if (event.target.files.length) takeLabels(event.target.files[0]); event.target.value = ""; });
find("[data-stop]").addEventListener("click", () => {
  list.stopped = true;
  list.rows = done();
  list.nTotal = list.rows.length;
  update();
});
find("[data-clear]").addEventListener("click", () => { list = newList(); find("[data-list-part]").hidden = true; find("[data-site]").replaceChildren(); });
find("[data-filters]").addEventListener("click", event => { if (event.target.dataset.filter) { filter = event.target.dataset.filter; update(); } });
find("[data-search]").addEventListener("input", update);
find("[data-rows]").addEventListener("click", event => { const n = event.target.closest("[data-open]")?.dataset.open; if (n) open(list.rows[n]); });
find("[data-csv]").addEventListener("click", () => download(toCSV(list.rows), "predictions.csv"));
find("[data-check]").addEventListener("click", checkSite);
find("[data-report-form]").addEventListener("submit", fillReport);
find("[data-close]").addEventListener("click", () => find("[data-dialog]").close());
find("[data-previous]").addEventListener("click", () => step(-1));
find("[data-next]").addEventListener("click", () => step(1));
find("[data-dialog]").addEventListener("close", () => { list.opened = null; viewer.clear(); });
find("[data-show-folder]")?.addEventListener("click", showFolder);
if ("folder" in page.dataset) showFolder();
