// What scrolls by itself must be reachable with the keyboard.
document.addEventListener("DOMContentLoaded", () => {
  for (const box of document.querySelectorAll(".bd-article table, .bd-article pre, .bd-article mjx-container")) box.tabIndex = 0;
});
