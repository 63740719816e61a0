// What HTML cannot do by itself: keys, dialogs, the menu on a phone. Everything works without it, only slower.
"use strict";
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const isTyping = (node) => node.matches?.("input, select, textarea, [contenteditable]");
  const rows = () => [...document.querySelectorAll("[data-rows] > *")].filter((row) => way(row));
  const way = (row) => $("[data-open]", row) ?? $("a", row);
  let at = -1;

  function move(step) {
    const all = rows();
    if (all.length === 0) return;
    const focused = all.findIndex((row) => row.contains(document.activeElement));
    if (focused >= 0) at = focused;
    at = Math.max(0, Math.min(all.length - 1, at + step));
    all.forEach((row, number) => row.classList.toggle("at", number === at));
    way(all[at]).focus();
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (isTyping(event.target)) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if ($("dialog[open]")) return;
    const search = $("[data-search]");
    if (event.key === "/" && search) { event.preventDefault(); search.focus(); search.select(); }
    else if (event.key === "?") { event.preventDefault(); $("#keys").showModal(); }
    else if (event.key === "j") move(1);
    else if (event.key === "k") move(-1);
  });

  // A sheet that was asked for is shown in the dialog; one that a sheet was answered by takes its place, there or on a page.
  document.addEventListener("htmx:afterSwap", (event) => {
    const sheet = event.target.matches(".sheet") ? event.target : $(":scope > .sheet", event.target);
    if (sheet) {
      const dialog = sheet.closest("dialog");
      dialog?.classList.toggle("wide", sheet.matches("[data-wide]"));
      if (dialog && !dialog.open) dialog.showModal();
      ($("[autofocus]", sheet) ?? $("input:not([type=hidden]), button", sheet))?.focus();
    } else {
      at = -1;
    }
    // A list that grows by itself forgets its end.
    document.querySelectorAll("[data-most]").forEach((list) => {
      while (list.children.length > Number(list.dataset.most)) list.lastElementChild.remove();
    });
  });

  // A refusal is an answer to be read, not to be dropped.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const status = event.detail.xhr.status;
    if (status >= 400 && (event.detail.xhr.getResponseHeader("content-type") ?? "").startsWith("text/html")) {
      event.detail.shouldSwap = true;
      event.detail.isError = false;
    }
  });
  document.addEventListener("htmx:sendError", () => { $("#offline").hidden = false; });
  document.addEventListener("htmx:afterRequest", (event) => { if (event.detail.successful) $("#offline").hidden = true; });

  document.addEventListener("click", (event) => {
    const target = event.target;
    if (target.closest("[data-close]")) {
      event.preventDefault();
      const dialog = target.closest("dialog");
      if (dialog) dialog.close();
      // A question on a page of its own is left for where it was asked.
      else if (history.length > 1) history.back();
      else location.assign("/admin/");
    }
    if (target.closest("[data-keys]")) $("#keys").showModal();
    if (target.closest("[data-menu]")) {
      const open = $(".side").classList.toggle("open");
      target.closest("[data-menu]").setAttribute("aria-expanded", String(open));
    }
    const copy = target.closest("[data-copy]");
    if (copy) navigator.clipboard?.writeText(copy.dataset.copy).then(() => { copy.textContent = copy.dataset.copied; });
    if (target.matches("[data-check-all]")) {
      document.querySelectorAll("[data-check]").forEach((box) => { box.checked = target.checked; });
    }
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
    const bulk = $("[data-bulk]");
    if (bulk && event.target.matches("[data-check], [data-check-all]")) {
      const count = document.querySelectorAll("[data-check]:checked").length;
      bulk.hidden = count === 0;
      $("[data-bulk-count]", bulk).textContent = String(count);
    }
  });

  // A message about what was just done is not said again when the page is loaded again.
  const here = new URL(location.href);
  if (here.searchParams.has("done")) {
    here.searchParams.delete("done");
    history.replaceState(history.state, "", here);
  }
})();
