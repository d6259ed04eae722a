/* The page of a message: asks for news until it is final, not while hidden, and marks what is new; copy buttons. */
"use strict";
(() => {
  const keys = () => new Set([...document.querySelectorAll("[data-step]")].map((row) => row.dataset.step));
  let waiting = null;

  function plan() {
    clearTimeout(waiting);
    const list = document.getElementById("live");
    if (!list || !list.dataset.live || document.hidden) return;
    waiting = setTimeout(() => ask(list.dataset.live), Number(list.dataset.delay) * 1000);
  }

  function ask(address) {
    const before = keys();
    window.htmx
      .ajax("GET", address, { target: "#live", swap: "outerHTML" })
      .then(() => {
        for (const row of document.querySelectorAll("[data-step]")) {
          if (!before.has(row.dataset.step)) row.classList.add("fresh");
        }
      })
      .catch(() => {})
      .then(() => {
        copyable();
        plan();
      });
  }

  function copyable() {
    if (!navigator.clipboard) return;
    for (const button of document.querySelectorAll("button[data-copy][hidden]")) button.hidden = false;
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-copy]");
    if (!button || !navigator.clipboard) return;
    navigator.clipboard.writeText(button.dataset.copy).then(() => {
      button.textContent = "copied";
      setTimeout(() => (button.textContent = "copy"), 1500);
    });
  });
  document.addEventListener("visibilitychange", plan);
  document.addEventListener("DOMContentLoaded", () => {
    copyable();
    plan();
  });
})();
