// Keeps lists, counts and badges of the queues up to date without a reload.
//
//   <p data-live data-live-url="…" data-live-queues="tickets" data-live-region="list" data-live-now="Up to date"
//      data-live-ago="Updated %s s ago" data-live-changed="…" data-live-failed="…"><span data-live-state></span></p>
//   data-live-count="tickets.open" on any element shows that count; badges of the menu follow by their address.
//
// Asks every ten seconds (thirty where only badges follow), not at all while the tab is hidden, with the tag of the
// last answer: "not modified" costs nothing to show. When a named queue moved, the region is fetched and put in place,
// unless somebody is at work in it: then the line says that something changed, beside the link that reloads.

const lines = [...document.querySelectorAll("[data-live]")];
const bars = lines.filter((line) => line.querySelector("[data-live-state]"));
const EVERY = bars.length ? 10_000 : 30_000;
const url = lines[0]?.dataset.liveUrl;

let tag = "";
let fresh = 0; // when the server last answered
let failed = false;
let asking = false;
let next = 0;
const marks = new Map();
const stale = new Set();

const headers = (more) => ({ "Backlot-By-Itself": "1", ...more });

function show() {
  for (const bar of bars) {
    const seconds = Math.round((Date.now() - fresh) / 1000);
    const { liveNow, liveAgo, liveChanged, liveFailed } = bar.dataset;
    const state = bar.querySelector("[data-live-state]");
    let text = seconds < 2 ? liveNow : liveAgo.replace("%s", seconds);
    if (failed) text = liveFailed;
    else if (!fresh) text = "";
    if (stale.has(bar)) text = `${liveChanged} ${text}`;
    if (state.textContent !== text) state.textContent = text;
    bar.dataset.liveTone = failed || stale.has(bar) ? "warn" : "";
  }
}

function counts({ queues, badges }) {
  document.querySelectorAll("[data-live-count]").forEach((element) => {
    const [queue, name] = element.dataset.liveCount.split(".");
    const value = queues[queue]?.[name];
    if (value !== undefined && element.textContent !== value) element.textContent = value;
  });
  for (const [address, value] of Object.entries(badges)) {
    document.querySelectorAll(`a[href="${address}"] .sidebar-badge`).forEach((badge) => {
      badge.textContent = value;
      badge.hidden = value === "0";
    });
  }
}

const busy = (region) =>
  region.contains(document.activeElement) || document.querySelector("dialog[open]") !== null;

async function renew(bar) {
  const region = document.getElementById(bar.dataset.liveRegion);
  if (!region) return;
  if (busy(region)) {
    stale.add(bar);
    return;
  }
  const answer = await fetch(location.href, { headers: headers({ Accept: "text/html" }), redirect: "manual" });
  if (!answer.ok) throw new Error(`${answer.status}`);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const made = page.getElementById(region.id);
  if (!made || busy(region)) {
    stale.add(bar);
    return;
  }
  region.replaceChildren(...[...made.childNodes].map((node) => document.importNode(node, true)));
  stale.delete(bar);
}

async function ask() {
  asking = true;
  try {
    const answer = await fetch(url, {
      headers: headers({ Accept: "application/json", ...(tag ? { "If-None-Match": tag } : {}) }),
      cache: "no-store",
      redirect: "manual",
    });
    if (answer.status === 200) {
      const told = await answer.json();
      tag = answer.headers.get("ETag") ?? "";
      counts(told);
      for (const bar of bars) {
        const codes = bar.dataset.liveQueues.split(" ").filter(Boolean);
        const mark = codes.map((code) => told.queues[code]?.mark ?? "").join(" ");
        if (marks.has(bar) && marks.get(bar) !== mark) await renew(bar);
        marks.set(bar, mark);
      }
    } else if (answer.status !== 304) {
      throw new Error(`${answer.status}`);
    }
    for (const bar of [...stale]) await renew(bar);
    fresh = Date.now();
    failed = false;
  } catch {
    failed = true;
  } finally {
    asking = false;
    next = Date.now() + EVERY;
    show();
  }
}

function tick() {
  if (document.hidden) return;
  if (!asking && Date.now() >= next) ask();
  show();
}

if (url) {
  setInterval(tick, 1000);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    next = 0;
    tick();
  });
  tick();
}
