// Comfort on top of pages that work without it. No inline script, no request of its own.
"use strict";

(() => {
  const typing = (target) => target instanceof Element && target.closest("input, textarea, select, [contenteditable]");

  // The viewer's time zone, for the server to write times in.
  try {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const secure = location.protocol === "https:" ? "; Secure" : "";
    if (zone) document.cookie = `zone=${zone}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
  } catch { /* the server's own zone will do */ }

  // `/` goes to the search; arrows, j and k through the rows of a list; Enter opens what has the focus.
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.key === "Escape" && event.target.id === "q") return event.target.blur();
    const search = document.getElementById("q");
    if (event.key === "ArrowDown" && event.target === search) {
      if (move(null, 1)) event.preventDefault();
      return;
    }
    if (typing(event.target)) return;
    if (event.key === "/" && search) {
      event.preventDefault();
      search.focus();
      search.select();
      return;
    }
    const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key];
    if (step && move(event.target, step)) event.preventDefault();
  });

  // From the row that has the focus to the next that can take it; from nowhere to the first.
  function move(from, step) {
    const rows = [...document.querySelectorAll("table[data-rows] tbody tr")].filter(way);
    if (!rows.length) return false;
    const row = from instanceof Element ? from.closest("tr") : null;
    const at = rows.indexOf(row);
    if (at < 0 && step < 0) return false;
    const next = rows[at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + step))];
    way(next).focus();
    next.scrollIntoView({ block: "nearest" });
    return true;
  }

  function way(row) {
    return row.querySelector("a[href], button");
  }

  // Copy buttons hold their text, or the id of the element that has it.
  document.addEventListener("click", async (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-copy]") : null;
    if (!button) return;
    const source = button.dataset.copyFrom ? document.getElementById(button.dataset.copyFrom) : null;
    const before = button.textContent;
    try {
      await navigator.clipboard.writeText(source ? source.textContent.trim() : button.dataset.copy);
      button.textContent = "copied";
    } catch {
      button.textContent = "press Ctrl-C";
    }
    setTimeout(() => { button.textContent = before; }, 1500);
  });

  // Nobody looks: nothing is asked. htmx's polls are cancelled while the page is hidden.
  const hold = (event) => {
    const element = event.target;
    const polls = element instanceof Element && /(^|[ ,])every /.test(element.getAttribute("hx-trigger") || "");
    if (document.hidden && polls) event.preventDefault();
  };
  document.addEventListener("htmx:before:request", hold);
})();
