// The page for one X-ray.

import { acceptDrops, request, fetchBlob, fetchJSON, formOf, make, predict } from "./api.js";
import { errorBox, renderAnswer } from "./answer.js";
import { Viewer } from "./viewer.js";

const find = selector => document.querySelector(selector);
const start = find("[data-start]"), result = find("[data-result]"), answerPart = find("[data-answer]");
const viewer = new Viewer(find("[data-viewer]"));
const facts = fetchJSON("/model");
let current = null;

const siteWarning = async () => {
  try {
    const { site_check: check } = await fetchJSON("/folder?since=1000000000");
    return check && check.shift !== "none" ? check : null;
  } catch { return null; }
};
const site = document.querySelector("[data-has-folder]") ? siteWarning() : Promise.resolve(null);

async function open(file) {
  const mine = current = {};
  start.hidden = true;
  result.hidden = false;
  viewer.clear();
  viewer.setBusy(true);
  answerPart.replaceChildren(make("p", "skp-row", "", make("span", "skp-spinner skp-small"), `Reading ${file.name} …`));
  viewer.canvas.focus({ preventScroll: true });
  window.scrollTo(0, 0);
  const picture = showPicture(file, mine);
  try {
    const answer = await predict(file);
    if (mine !== current) return;
    renderAnswer(answerPart, answer, await facts, { site: await site });
    if (answer.outcome === "predicted") await showHeatmap(file, mine);
    else viewer.noHeatmap("No heatmap");
  } catch (error) {
    if (mine === current) answerPart.replaceChildren(errorBox(error.message));
  }
  await picture;
}

async function showPicture(file, mine) {
  try {
    const blob = await fetchBlob("/picture", formOf("file", file));
    if (mine === current) await viewer.show(blob);
  } catch { /* The answer says why. */ } finally {
    if (mine === current) viewer.setBusy(false);
  }
}

async function showHeatmap(file, mine) {
  if (!(await facts).has_heatmaps) { viewer.noHeatmap("No heatmap"); return; }
  viewer.waitForHeatmap();
  try {
    const blob = await fetchBlob("/heatmap", formOf("file", file));
    if (mine === current) await viewer.showHeatmap(blob);
  } catch { if (mine === current) viewer.noHeatmap("No heatmap"); }
}

document.querySelectorAll("[data-file]").forEach(input => input.addEventListener("change", () => {
  if (input.files.length) open(input.files[0]);
  input.value = "";
}));
for (const element of [find("[data-drop]"), result]) acceptDrops(element, data => { if (data.files.length) open(data.files[0]); });
find("[data-again]").addEventListener("click", () => { current = null; result.hidden = true; start.hidden = false; viewer.clear(); });
document.querySelectorAll("[data-sample]").forEach(button => button.addEventListener("click", async () => {
  const name = button.querySelector("span").textContent;
  const blob = await (await request(`/samples/${button.dataset.sample}`)).blob();
  open(new File([blob], `${name}.jpeg`, { type: "image/jpeg" }));
}));
