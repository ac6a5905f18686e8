function render({ model, el }) {
  const get = (name) => model.get(name), rows = get("rows"), columns = get("columns"), cell = 9;
  const make = (tag, parent, more) => parent.appendChild(Object.assign(document.createElement(tag), more));
  let labels, chosen = 0, radius = 2, down = false;
  const bar = make("div", el, { className: "coursekit-painter" });
  bar.style.cssText = "display:flex;gap:6px;flex-wrap:wrap;align-items:center;margin-bottom:6px";
  const brushes = get("names").map((name, i) => {
    const button = make("button", bar, { textContent: name, className: "jupyter-button" });
    button.style.cssText = `border-left:18px solid ${get("colours")[i]};width:auto`;
    button.onclick = () => choose(i);
    return button;
  });
  const label = make("label", bar, { textContent: "brush " });
  const width = make("input", label, { type: "range", min: 0, max: 6, value: radius });
  width.oninput = () => { radius = +width.value; };
  const canvas = make("canvas", el, { width: columns * cell, height: rows * cell });
  canvas.style.cssText = "border:1px solid #999;touch-action:none;cursor:crosshair;display:block";
  canvas.setAttribute("aria-label", "the map of the new picture");
  const done = make("button", el, { textContent: "paint", className: "jupyter-button mod-primary" });
  done.onclick = () => { model.set("value", labels.join("")); model.save_changes(); };

  function choose(i) {
    chosen = i;
    brushes.forEach((button, k) => {
      button.setAttribute("aria-pressed", k === i);
      button.style.fontWeight = k === i ? "bold" : "";
    });
  }
  function draw() {
    const pen = canvas.getContext("2d");
    labels.forEach((value, i) => {
      pen.fillStyle = get("colours")[value];
      pen.fillRect((i % columns) * cell, Math.floor(i / columns) * cell, cell, cell);
    });
  }
  function brush(event) {
    const x = event.offsetX / cell, y = event.offsetY / cell;
    for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) {
      if ((c + 0.5 - x) ** 2 + (r + 0.5 - y) ** 2 <= (radius + 0.6) ** 2) labels[r * columns + c] = chosen;
    }
    draw();
  }
  canvas.onpointerdown = (event) => { down = true; canvas.setPointerCapture(event.pointerId); brush(event); };
  canvas.onpointermove = (event) => { if (down) brush(event); };
  canvas.onpointerup = canvas.onpointercancel = () => { down = false; };
  const load = () => {
    labels = Uint8Array.from(get("value"), Number);
    draw();
  };
  model.on("change:value", load);
  load();
  choose(0);
  return () => model.off("change:value", load);
}
export default { render };
