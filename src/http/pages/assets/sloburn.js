// Keeps a page in step with the daemon: fetches it anew when something happened, and changes what differs in place, so
// that focus, scrolling and what was typed stay. Everything is there without it too.
"use strict";
(() => {
  const every = 1000 * Number(document.body.dataset.every || 30);
  // A fast clock may tick many times a second; nobody reads faster than this.
  const atLeast = 500;
  let stream = null, opened = false, busy = false, again = false, timer = null, due = null, shownAt = Date.now();

  // Makes the children of `old` those of `fresh`, keeping every node that can stay.
  function match(old, fresh) {
    const wanted = Array.from(fresh.childNodes);
    wanted.forEach((node, index) => {
      let own = old.childNodes[index];
      if (own && node.id) own = keyed(old, node.id, index) || own;
      if (!own) old.appendChild(node);
      else if (!same(own, node)) old.replaceChild(node, own);
      else if (own.nodeType === Node.ELEMENT_NODE) change(own, node);
      else if (own.nodeValue !== node.nodeValue) own.nodeValue = node.nodeValue;
    });
    while (old.childNodes.length > wanted.length) old.lastChild.remove();
  }

  // The child of `old` with this id, moved to where it is wanted.
  function keyed(old, id, index) {
    const found = Array.from(old.children).find((child) => child.id === id);
    if (found && old.childNodes[index] !== found) old.insertBefore(found, old.childNodes[index]);
    return found;
  }

  function same(own, node) {
    return own.nodeType === node.nodeType && own.nodeName === node.nodeName && (own.id || "") === (node.id || "");
  }

  function change(own, node) {
    for (const { name } of Array.from(own.attributes)) {
      // What the reader opened stays open.
      if (!node.hasAttribute(name) && name !== "open") own.removeAttribute(name);
    }
    for (const { name, value } of Array.from(node.attributes)) {
      if (own.getAttribute(name) !== value && name !== "open") own.setAttribute(name, value);
    }
    // What the reader types or chooses is theirs.
    if (!own.matches("select, textarea")) match(own, node);
  }

  async function refresh() {
    if (busy) { again = true; return; }
    busy = true;
    try {
      const reply = await fetch(location.href, { headers: { accept: "text/html" }, cache: "no-store" });
      const fresh = new DOMParser().parseFromString(await reply.text(), "text/html");
      for (const region of document.querySelectorAll("[data-live]")) {
        const counterpart = fresh.getElementById(region.id);
        if (counterpart) change(region, counterpart);
      }
      shownAt = Date.now();
      say(stream && stream.readyState === EventSource.OPEN ? "follows by itself" : "looks again by itself");
    } catch {
      say("Sloburn cannot be reached; what you see is old");
      document.getElementById("main").classList.add("stale");
    }
    await new Promise((done) => setTimeout(done, atLeast));
    busy = false;
    if (again) { again = false; refresh(); }
    plan();
  }

  // However often something happens, twice a second is enough to see it.
  function soon() {
    if (due) return;
    due = setTimeout(() => { due = null; refresh(); }, Math.max(0, shownAt + 500 - Date.now()));
  }

  function say(text) {
    const place = document.getElementById("link");
    if (place && place.textContent !== text) place.textContent = text;
  }

  // Without an event for a while it is looked all the same: a dead engine sends none.
  function plan() {
    clearTimeout(timer);
    timer = setTimeout(refresh, stream && stream.readyState === EventSource.OPEN ? 2 * every : every);
  }

  // Browsers give a host few connections, so that a page that nobody sees holds none.
  function follow() {
    if (document.hidden) {
      if (stream) stream.close();
      stream = null;
      clearTimeout(timer);
      return;
    }
    if (!stream || stream.readyState === EventSource.CLOSED) {
      stream = new EventSource("/api/v1/events");
      for (const kind of ["tick", "incident", "notice", "configuration"]) stream.addEventListener(kind, soon);
      stream.addEventListener("open", () => {
        // What happened while it was away was not told.
        if (opened) refresh();
        opened = true;
        say("follows by itself");
        plan();
      });
      stream.addEventListener("error", plan);
    }
    plan();
  }

  function words(seconds) {
    const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
    const first = units.findIndex(([, size]) => seconds >= size);
    if (first < 0) return "0 s";
    let rest = seconds;
    const parts = [];
    for (const [unit, size] of units.slice(first, first + 2)) {
      if (rest >= size) parts.push(`${Math.floor(rest / size)} ${unit}`);
      rest %= size;
    }
    return parts.join(" ");
  }

  setInterval(() => {
    const age = document.getElementById("age");
    if (age) age.textContent = words(Number(age.dataset.age) + Math.floor((Date.now() - shownAt) / 1000));
  }, 1000);

  // The value under the pointer is written below its chart.
  document.addEventListener("pointerover", (event) => {
    const point = event.target instanceof Element && event.target.closest(".point");
    const figure = point && point.closest("figure");
    const place = figure && figure.querySelector("output");
    if (place) place.textContent = point.querySelector("title").textContent;
  });

  document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); follow(); });
  follow();
})();
