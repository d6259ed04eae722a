/* The page of a message asks for news, more and more slowly, until it is final; not while nobody looks. */
"use strict";
(() => {
  const rows = () => [...document.querySelectorAll("[data-step]")];
  let waiting = null;

  function plan() {
    clearTimeout(waiting);
    const list = document.getElementById("live");
    if (!list || !list.dataset.live || document.hidden) return;
    waiting = setTimeout(() => ask(list.dataset.live), Number(list.dataset.delay) * 1000);
  }

  async function ask(address) {
    const before = new Set(rows().map((row) => row.dataset.step));
    try {
      await window.htmx.ajax("GET", address, { target: "#live", swap: "outerHTML" });
    } catch {
      // The server is away for a moment: the list is still there, and asks again.
    }
    for (const row of rows()) {
      if (!before.has(row.dataset.step)) row.classList.add("news");
    }
    copyable();
    plan();
  }

  function copyable() {
    if (!navigator.clipboard) return;
    for (const button of document.querySelectorAll("button[data-copy][hidden]")) button.hidden = false;
  }

  document.addEventListener("visibilitychange", plan);
  document.addEventListener("DOMContentLoaded", () => {
    copyable();
    plan();
  });
})();
