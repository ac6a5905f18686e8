function render({ model, el }) {
  const get = (name) => model.get(name);
  const view = get("places"), n = get("count"), frames = get("titles").length, side = 520, pad = 14;
  const places = new Uint16Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
  const make = (tag, parent, more) => parent.appendChild(Object.assign(document.createElement(tag), more));
  const row = make("div", el, { className: "coursekit-dots" });
  row.style.cssText = "display:flex;gap:16px;flex-wrap:wrap";
  const canvas = make("canvas", row, { width: 2 * side, height: 2 * side });
  canvas.style.cssText = `width:${side}px;height:${side}px;border:1px solid #ddd;touch-action:none`;
  const panel = make("div", row, {}), near = make("canvas", panel, { width: 192, height: 192 });
  const note = make("div", panel, { textContent: "Move over the dots." }), title = make("div", panel, {});
  note.style.fontWeight = "bold";
  const sheet = new Image(), url = URL.createObjectURL(new Blob([get("sheet")], { type: "image/jpeg" }));
  sheet.src = url;
  let time = 0, chosen = -1, request = 0;

  function place(i) {
    const f = Math.min(Math.floor(time), frames - 1), g = Math.min(f + 1, frames - 1), s = time - f;
    const at = (frame, axis) => places[2 * (frame * n + i) + axis];
    return [0, 1].map((axis) => pad + ((1 - s) * at(f, axis) + s * at(g, axis)) / 65535 * (side - 2 * pad));
  }
  function draw() {
    const pen = canvas.getContext("2d"), radius = Math.max(2, Math.min(5, 70 / Math.sqrt(n)));
    pen.setTransform(2, 0, 0, 2, 0, 0);
    pen.fillStyle = "white";
    pen.fillRect(0, 0, side, side);
    for (let k = 0; k <= n; k++) {
      const i = k < n ? k : chosen;
      if (i < 0 || (k < n && i === chosen)) continue;
      pen.beginPath();
      pen.arc(...place(i), k < n ? radius : 2 * radius, 0, 7);
      pen.fillStyle = get("colours")[i];
      pen.fill();
      if (k === n) { pen.lineWidth = 2; pen.strokeStyle = "black"; pen.stroke(); }
    }
    title.textContent = get("titles")[Math.min(Math.round(time), frames - 1)];
  }
  canvas.onpointermove = (event) => {
    let best = 20 * 20;
    chosen = -1;
    for (let i = 0; i < n; i++) {
      const [x, y] = place(i), d = (x - event.offsetX) ** 2 + (y - event.offsetY) ** 2;
      if (d < best) { best = d; chosen = i; }
    }
    note.textContent = chosen < 0 ? "Move over the dots." : get("labels")[chosen];
    const pen = near.getContext("2d"), t = get("tile"), across = get("across");
    pen.imageSmoothingEnabled = false;
    pen.clearRect(0, 0, 192, 192);
    if (chosen >= 0) {
      pen.drawImage(sheet, (chosen % across) * t, Math.floor(chosen / across) * t, t, t, 0, 0, 192, 192);
    }
    draw();
  };
  if (frames > 1) {
    const bar = make("div", el, {}), play = make("button", bar, { textContent: "play" });
    const slider = make("input", bar, { type: "range", min: 0, max: frames - 1, step: 0.1, value: 0 });
    play.className = "jupyter-button widget-button";
    slider.setAttribute("aria-label", "time");
    slider.style.width = "440px";
    slider.oninput = () => { time = +slider.value; draw(); };
    let last = 0;
    const tick = (now) => {
      time = (time + Math.min(now - last, 100) / 40) % (frames - 1);
      last = now;
      slider.value = time;
      draw();
      request = requestAnimationFrame(tick);
    };
    play.onclick = () => {
      play.textContent = request ? "play" : "pause";
      if (request) { cancelAnimationFrame(request); request = 0; }
      else { last = performance.now(); request = requestAnimationFrame(tick); }
    };
  }
  draw();
  return () => { cancelAnimationFrame(request); URL.revokeObjectURL(url); };
}
export default { render };
