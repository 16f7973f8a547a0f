// An X-ray on a canvas: zoom, pan, window and level, inversion, and a heatmap over it.

const MAX_ZOOM = 16;
const STEP = 1.25;

export class Viewer {
  constructor(root) {
    this.root = root;
    this.canvas = root.querySelector("canvas");
    this.busy = root.querySelector("[data-busy]");
    this.status = root.querySelector("[data-status]");
    this.heatSlider = root.querySelector("[data-heat]");
    this.heatLabel = root.querySelector("[data-heat-label]");
    this.pointers = new Map();
    this.image = this.heat = null;
    this.resetView();
    this.#listen();
    new ResizeObserver(() => this.draw()).observe(this.canvas);
  }

  clear() {
    this.image = this.heat = null;
    if (this.heatSlider) { this.heatSlider.disabled = true; this.heatLabel.textContent = "Heatmap"; }
    this.resetView();
  }

  setBusy(is) { this.busy.hidden = !is; this.canvas.setAttribute("aria-busy", String(is)); }

  async show(blob) {
    const bitmap = await createImageBitmap(blob);
    const grey = Object.assign(document.createElement("canvas"), { width: bitmap.width, height: bitmap.height });
    const context = grey.getContext("2d", { willReadFrequently: true });
    context.drawImage(bitmap, 0, 0);
    const pixels = context.getImageData(0, 0, grey.width, grey.height);
    this.image = { grey, context, pixels, values: pixels.data.filter((_, i) => i % 4 === 0) };
    this.resetView();
  }

  waitForHeatmap() { if (this.heatSlider) this.heatLabel.textContent = "Heatmap: computing …"; }

  noHeatmap(text) { if (this.heatSlider) { this.heatLabel.textContent = text; this.heatSlider.disabled = true; } }

  async showHeatmap(blob) {
    this.heat = await createImageBitmap(blob);
    this.heatSlider.disabled = false;
    this.heatLabel.textContent = "Heatmap";
    this.draw();
  }

  resetView() {
    Object.assign(this, { zoom: 1, x: 0, y: 0, window: 255, level: 127.5, inverted: false });
    this.#press("invert", false);
    this.#applyLevels();
  }

  setMode(levels) {
    this.levelsMode = levels;
    this.#press("levels", levels);
    this.canvas.classList.toggle("skp-levels", levels);
  }

  zoomBy(factor, x = 0, y = 0) {
    const zoom = Math.min(MAX_ZOOM, Math.max(1, this.zoom * factor));
    const change = zoom / this.zoom;
    // The point under the pointer stays there.
    this.x = x - change * (x - this.x);
    this.y = y - change * (y - this.y);
    this.zoom = zoom;
    this.draw();
  }

  moveBy(x, y) { this.x += x; this.y += y; this.draw(); }

  changeLevels(window, level) {
    this.window = Math.min(510, Math.max(4, this.window + window));
    this.level = Math.min(255, Math.max(0, this.level + level));
    this.#applyLevels();
  }

  invert() { this.inverted = !this.inverted; this.#press("invert", this.inverted); this.#applyLevels(); }

  // Where the image lies on the canvas, in its own pixels.
  place() {
    const { width, height } = this.canvas;
    const { grey } = this.image;
    const scale = this.zoom * Math.min(width / grey.width, height / grey.height);
    const w = scale * grey.width, h = scale * grey.height;
    const maxX = Math.max(0, (w - width) / 2) + width / 4, maxY = Math.max(0, (h - height) / 2) + height / 4;
    this.x = Math.min(maxX, Math.max(-maxX, this.zoom === 1 ? 0 : this.x));
    this.y = Math.min(maxY, Math.max(-maxY, this.zoom === 1 ? 0 : this.y));
    return [(width - w) / 2 + this.x, (height - h) / 2 + this.y, w, h];
  }

  draw() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => { this.waiting = false; this.#paint(); });
  }

  #paint() {
    const ratio = window.devicePixelRatio || 1, box = this.canvas.getBoundingClientRect();
    this.canvas.width = Math.max(1, Math.round(ratio * box.width));
    this.canvas.height = Math.max(1, Math.round(ratio * box.height));
    const context = this.canvas.getContext("2d");
    this.status.hidden = !this.image;
    if (!this.image) return;
    const place = this.place();
    context.imageSmoothingQuality = "high";
    context.drawImage(this.image.grey, ...place);
    if (this.heat) {
      context.globalAlpha = this.heatSlider.value / 100;
      context.drawImage(this.heat, ...place);
      context.globalAlpha = 1;
    }
    const { grey } = this.image;
    this.status.textContent = `${grey.width} × ${grey.height}, zoom ${this.zoom.toFixed(1)}, window ${Math.round(this.window)}, level ${Math.round(this.level)}`;
  }

  #applyLevels() {
    if (!this.image) { this.draw(); return; }
    const table = new Uint8ClampedArray(256);
    for (let i = 0; i < 256; i++) {
      const value = 255 * ((i - this.level) / this.window + 0.5);
      table[i] = this.inverted ? 255 - value : value;
    }
    const { pixels, values, context } = this.image, data = pixels.data;
    for (let i = 0, j = 0; i < values.length; i++, j += 4) data[j] = data[j + 1] = data[j + 2] = table[values[i]];
    context.putImageData(pixels, 0, 0);
    this.draw();
  }

  #press(tool, is) {
    const button = this.root.querySelector(`[data-tool="${tool}"]`);
    if (button) button.setAttribute("aria-pressed", String(is));
  }

  #listen() {
    const actions = {
      levels: () => this.setMode(!this.levelsMode), invert: () => this.invert(), in: () => this.zoomBy(STEP),
      out: () => this.zoomBy(1 / STEP), reset: () => { this.setMode(false); this.resetView(); },
    };
    this.root.addEventListener("click", event => actions[event.target.closest("[data-tool]")?.dataset.tool]?.());
    this.heatSlider?.addEventListener("input", () => this.draw());
    this.canvas.addEventListener("keydown", event => this.#key(event, actions));
    this.canvas.addEventListener("wheel", event => {
      event.preventDefault();
      this.zoomBy(event.deltaY < 0 ? STEP : 1 / STEP, ...this.#fromCenter(event));
    }, { passive: false });
    this.canvas.addEventListener("contextmenu", event => event.preventDefault());
    this.canvas.addEventListener("pointerdown", event => {
      this.canvas.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, event);
    });
    this.canvas.addEventListener("pointermove", event => this.#drag(event));
    for (const kind of ["pointerup", "pointercancel"]) this.canvas.addEventListener(kind, event => this.pointers.delete(event.pointerId));
  }

  #fromCenter(event) {
    const ratio = window.devicePixelRatio || 1, box = this.canvas.getBoundingClientRect();
    return [ratio * (event.clientX - box.x - box.width / 2), ratio * (event.clientY - box.y - box.height / 2)];
  }

  #drag(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const others = [...this.pointers.values()].filter(one => one.pointerId !== event.pointerId);
    this.pointers.set(event.pointerId, event);
    const ratio = window.devicePixelRatio || 1;
    const dx = event.clientX - before.clientX, dy = event.clientY - before.clientY;
    if (others.length) {
      const distance = one => Math.hypot(one.clientX - others[0].clientX, one.clientY - others[0].clientY);
      this.zoomBy(distance(event) / Math.max(1, distance(before)), ...this.#fromCenter(event));
    } else if (this.levelsMode || event.shiftKey || event.buttons === 2) {
      this.changeLevels(dx, dy / 2);
    } else {
      this.moveBy(ratio * dx, ratio * dy);
    }
  }

  #key(event, actions) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const tools = { "+": "in", "=": "in", "-": "out", 0: "reset", i: "invert", w: "levels" };
    const [x, y] = arrows[event.key] || [], tool = tools[event.key.toLowerCase()];
    if (x === undefined && !tool) return;
    event.preventDefault();
    if (tool) actions[tool]();
    else if (this.levelsMode) this.changeLevels(8 * x, 4 * y);
    else this.moveBy(-40 * x, -40 * y);
  }
}
