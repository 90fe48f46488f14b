// Keeps a page current: listens to its stream, and puts fresh parts in the place of old ones.
//
// A page takes part by two marks in its HTML:
//   <p data-stream="/incidents/7/stream?after=12"></p>   where to listen; the state of the line is shown in this element
//   <div id="head" data-live="/incidents/7/part/head">   a part, and where it can be fetched again as a whole element
// A part with `data-live-timed` is also fetched every few seconds while the page is looked at: what it shows changes without an entry.
// Without the first mark the stream is the page's own address with /stream behind it. `data-live-careful` leaves a part alone
// while something in it is open, has the focus or has been typed. Focus, scroll position, open <details> and selected text stay.
"use strict";

(() => {
  if (!document.querySelector("[data-live]") || !window.EventSource) return;

  const HIDDEN_FOR = 30_000; // ms in the background until the line is let go
  const SILENT_FOR = 40_000; // ms without even a ping until the line counts as dead
  const TIMED = 5_000; // ms between two fetches of the timed parts
  const LONGEST_PAUSE = 30_000; // ms between tries
  const STATES = {
    live: ["live", "circle", { cx: 5, cy: 5, r: 4.2 }, "This page updates by itself."],
    reconnecting: ["reconnecting", "path", { d: "M5 .3 9.7 5 5 9.7 .3 5z" }, "The line to the server is lost; trying again."],
    ended: ["not live", "rect", { x: 1, y: 1, width: 8, height: 8 }, "Sign in again, or reload the page."],
  };

  const sign = document.querySelector("[data-stream]") || newSign();
  const address = new URL(sign.dataset.stream || `${location.pathname.replace(/\/$/, "")}/stream`, location.href);
  let source = null;
  let last = address.searchParams.get("after");
  let failures = 0;
  let heard = 0;
  let retry = 0;
  let letGo = 0;
  let running = false;
  let again = false;

  // --- the line

  function connect() {
    clearTimeout(retry);
    if (last !== null) address.searchParams.set("after", last);
    heard = Date.now();
    source = new EventSource(address);
    source.addEventListener("ping", () => (heard = Date.now()));
    source.addEventListener("open", () => {
      heard = Date.now();
      failures = 0;
      show("live");
      if (last === null) refresh(); // what was written while the page was on its way
    });
    source.addEventListener("entries", (event) => {
      heard = Date.now();
      last = event.lastEventId;
      refresh();
    });
    source.addEventListener("error", () => {
      show("reconnecting");
      if (source?.readyState === EventSource.CLOSED) tryLater(); // refused: the browser does not come back by itself
    });
  }

  async function tryLater() {
    disconnect();
    failures += 1;
    const pause = Math.min(LONGEST_PAUSE, 1000 * 2 ** failures);
    try {
      const part = document.querySelector("[data-live]").dataset.live;
      const answer = await fetch(part, { redirect: "manual" });
      if (answer.type === "opaqueredirect" || [401, 403, 404].includes(answer.status)) return show("ended");
    } catch {
      // no network: that is what the next try is for
    }
    if (!document.hidden && !source) retry = setTimeout(connect, pause);
  }

  function lineIsDead() {
    if (sign.dataset.state === "ended") return;
    show("reconnecting");
    tryLater();
  }

  function disconnect() {
    clearTimeout(retry);
    if (source) source.close();
    source = null;
  }

  document.addEventListener("visibilitychange", () => {
    clearTimeout(letGo);
    if (document.hidden) letGo = setTimeout(disconnect, HIDDEN_FOR);
    else if (!source && sign.dataset.state !== "ended") connect();
  });
  window.addEventListener("pagehide", disconnect);
  window.addEventListener("offline", lineIsDead);
  window.addEventListener("online", () => !source && connect());
  setInterval(() => {
    if (source && source.readyState === EventSource.OPEN && Date.now() - heard > SILENT_FOR) lineIsDead();
  }, 5_000);
  window.addEventListener("pageshow", (event) => {
    if (event.persisted && !source) connect();
  });

  // --- the parts

  setInterval(() => {
    if (!document.hidden && !running && sign.dataset.state === "live") refresh("[data-live-timed]");
  }, TIMED);

  async function refresh(which = "[data-live]") {
    if (running) {
      again = true;
      return;
    }
    running = true;
    do {
      if (again) which = "[data-live]";
      again = false;
      const parts = [...document.querySelectorAll(which)];
      const fetched = await fetchAll(parts);
      const keepPlace = holdScroll();
      parts.forEach((part, index) => fetched[index] && put(part, fetched[index]));
      keepPlace();
    } while (again);
    running = false;
  }

  // Parts of one page (`…/part/head`, `…/part/alerts`) are asked for together (`…/part/head--alerts`): the server then reads the log once.
  async function fetchAll(parts) {
    const places = parts.map((part) => /^(.*\/part\/)([a-z]+)(\?.*)?$/.exec(part.dataset.live));
    const together = places.filter((place) => place && place[1] === places[0]?.[1]);
    if (together.length < 2 || together.length < parts.length) return Promise.all(parts.map((part) => fetchBody(part.dataset.live).then((body) => body?.firstElementChild)));
    const names = together.map((place) => place[2]);
    const query = together.map((place) => place[3]).find(Boolean) || "";
    const body = await fetchBody(`${together[0][1]}${names.join("--")}${query}`);
    return names.map((name) => body?.querySelector(`:scope > [data-part="${name}"]`)?.firstElementChild);
  }

  async function fetchBody(address) {
    try {
      const answer = await fetch(address, { headers: { Accept: "text/html" }, redirect: "error" });
      if (!answer.ok) return null;
      return new DOMParser().parseFromString(await answer.text(), "text/html").body;
    } catch {
      return null;
    }
  }

  function put(part, fresh) {
    if (!part.isConnected || plain(part) === plain(fresh)) return;
    if (isBusy(part)) {
      part.dataset.stale = "";
      return;
    }
    const giveFocusBack = holdFocus(part);
    const open = new Set([...part.querySelectorAll("details[open]")].map(nameOf));
    const adopted = document.importNode(fresh, true);
    for (const one of adopted.querySelectorAll("details")) if (open.has(nameOf(one))) one.open = true;
    part.replaceWith(adopted);
    giveFocusBack(adopted);
  }

  function plain(part) {
    const copy = part.cloneNode(true);
    copy.removeAttribute("data-stale");
    for (const one of copy.querySelectorAll("input[type=hidden]")) one.removeAttribute("value"); // fresh tokens at every render
    for (const one of copy.querySelectorAll("details")) one.removeAttribute("open");
    return copy.outerHTML;
  }

  function isBusy(part) {
    const selection = document.getSelection();
    if (selection && !selection.isCollapsed && part.contains(selection.anchorNode)) return true;
    if (!("liveCareful" in part.dataset)) return false;
    return part.contains(document.activeElement) || part.querySelector("details[open]") !== null || isTyped(part);
  }

  function isTyped(part) {
    const fields = [...part.querySelectorAll("input:not([type=hidden]), textarea")];
    return fields.some((one) => (one.type === "checkbox" || one.type === "radio" ? one.checked !== one.defaultChecked : one.value !== one.defaultValue));
  }

  function catchUp() {
    if ([...document.querySelectorAll("[data-stale]")].some((part) => !isBusy(part))) refresh();
  }
  document.addEventListener("focusout", () => setTimeout(catchUp));
  document.addEventListener("toggle", catchUp, true);
  document.addEventListener("selectionchange", () => {
    if (document.getSelection()?.isCollapsed) catchUp();
  });

  // --- what must not move

  function holdScroll() {
    if (window.scrollY === 0) return () => {};
    const marked = [...document.querySelectorAll("main [id]")];
    const held = marked.map((one) => [one.id, one.getBoundingClientRect().top]).filter(([, top]) => top >= 0);
    return () => {
      for (const [id, top] of held) {
        const now = document.getElementById(id);
        if (now) return window.scrollBy({ top: now.getBoundingClientRect().top - top, behavior: "instant" });
      }
    };
  }

  function holdFocus(part) {
    const focused = document.activeElement;
    if (!part.contains(focused)) return () => {};
    const name = nameOf(focused);
    const place = [...part.querySelectorAll(focused.localName)].filter((one) => nameOf(one) === name).indexOf(focused);
    return (fresh) => {
      const alike = [...fresh.querySelectorAll(focused.localName)].filter((one) => nameOf(one) === name);
      const chosen = alike[place] || alike[0];
      if (chosen) chosen.focus({ preventScroll: true });
    };
  }

  function nameOf(one) {
    const said = one.querySelector?.("summary")?.textContent ?? one.textContent;
    return one.id || [one.localName, one.getAttribute("name"), one.getAttribute("href"), said.trim().slice(0, 80)].join("|");
  }

  // --- the state of the line: a shape and a word

  function newSign() {
    const made = document.createElement("p");
    document.querySelector("main").prepend(made);
    return made;
  }

  function show(state) {
    if (sign.dataset.state === state) return;
    const [word, shape, place, title] = STATES[state];
    const picture = drawn("svg", { class: "mark", viewBox: "0 0 10 10", "aria-hidden": "true", focusable: "false" });
    picture.append(drawn(shape, place));
    sign.dataset.state = state;
    sign.classList.remove(...Object.keys(STATES));
    sign.classList.add("live-state", state);
    sign.title = title;
    sign.setAttribute("role", "status");
    sign.replaceChildren(picture, ` ${word}`);
  }

  function drawn(name, attributes) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  }

  connect();
})();
