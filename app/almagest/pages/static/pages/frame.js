// What pages do beyond links and forms; without it they lack only what it brings. No page runs any other script.
"use strict";

const typing = (target) => target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

// "/" goes to the search box, Escape leaves it.
document.addEventListener("keydown", (event) => {
  const search = document.getElementById("search");
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || !search) return;
  if (event.key === "/" && !typing(event.target)) {
    event.preventDefault();
    search.focus();
    search.select();
  } else if (event.key === "Escape" && event.target === search) {
    search.blur();
  }
});

// A box that shows the rows of a list that have all of its words.
for (const box of document.querySelectorAll("input[data-filter]")) {
  const list = document.getElementById(box.dataset.filter);
  const rows = [...list.querySelectorAll("[data-row]")].map((row) => [row, row.dataset.row.toLowerCase()]);
  const groups = [...list.querySelectorAll("[data-group]")];
  const said = box.parentElement.querySelector("output");
  const show = () => {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const [row, text] of rows) {
      row.hidden = !words.every((word) => text.includes(word));
      shown += row.hidden ? 0 : 1;
    }
    for (const group of groups) group.hidden = !group.querySelector("[data-row]:not([hidden])");
    said.textContent = words.length ? `${shown} of ${rows.length}` : "";
  };
  box.closest("[hidden]")?.removeAttribute("hidden");
  box.addEventListener("input", show);
  box.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      box.value = "";
      show();
    }
  });
  show();
}

// Buttons that copy a text of the page; only where the browser lets a page do so.
for (const button of document.querySelectorAll("button[data-copy]")) {
  if (!navigator.clipboard) break;
  const name = button.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const text = document.getElementById(button.dataset.copy).textContent;
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      button.textContent = "The browser refused";
    }
    setTimeout(() => { button.textContent = name; }, 2000);
  });
}
