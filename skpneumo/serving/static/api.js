// Requests to the server of this page.

const MAX_TRIES = 5;

export const wait = seconds => new Promise(done => setTimeout(done, 1000 * seconds));

export async function request(path, options = {}) {
  // A full queue is no error yet: the server says when to come again.
  for (let n = 1; ; n++) {
    let response;
    try {
      response = await fetch(path, options);
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Error("The server does not answer. Is it still running?");
    }
    if (response.ok) return response;
    if (response.status === 401) location.assign("/login");
    if (response.status === 503 && n < MAX_TRIES) {
      await wait(Number(response.headers.get("Retry-After")) || 2);
      continue;
    }
    let text = `The server refused this (status ${response.status}).`;
    try { text = (await response.json()).detail || text; } catch { /* no JSON */ }
    throw new Error(text);
  }
}

export const fetchJSON = async (path, options) => (await request(path, options)).json();

export const fetchBlob = async (path, options) => (await request(path, options)).blob();

export const postJSON = (path, value) => fetchJSON(path, {
  method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(value),
});

export function formOf(field, file) {
  const form = new FormData();
  form.append(field, file, file.name);
  return { method: "POST", body: form };
}

export const predict = async (file, signal) =>
  (await fetchJSON("/predict", { ...formOf("files", file), signal })).predictions[0];

// Element with a class, a text and children.
export function make(tag, name = "", text = "", ...children) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  if (text) element.textContent = text;
  element.append(...children);
  return element;
}

export function acceptDrops(element, take) {
  const stop = event => { event.preventDefault(); element.classList.toggle("skp-over", event.type === "dragover"); };
  for (const kind of ["dragover", "dragleave", "dragend"]) element.addEventListener(kind, stop);
  // A file that misses the place must not replace the page.
  for (const kind of ["dragover", "drop"]) window.addEventListener(kind, event => event.preventDefault());
  element.addEventListener("drop", event => { stop(event); take(event.dataTransfer); });
}
