// JupyterLab takes keys on their way down, before a control sees them: `m` in a list of names turns the cell into
// Markdown, `dd` deletes it. A listener on the window comes first. The browser still does what it does with the key by
// itself; a slider of ipywidgets gets those that move it.
if (!window.coursekitKeys) {
  window.coursekitKeys = true;
  const moves = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "PageUp", "PageDown", "Home", "End"];
  window.addEventListener("keydown", (event) => {
    const control = event.target instanceof Element && event.target.closest("select, button, input, [role=slider]");
    if (!control || !control.closest(".jp-OutputArea-output")) return;
    if (event.ctrlKey || event.metaKey || event.altKey || ["Escape", "Tab"].includes(event.key)) return;
    if (event.key === "Enter" && event.shiftKey) return; // runs the cell
    if (control.getAttribute("role") === "slider" && moves.includes(event.key)) return;
    event.stopPropagation();
  }, true);
}
