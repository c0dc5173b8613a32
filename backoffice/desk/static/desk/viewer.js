// The viewer of identity documents: another document in the same place (what is typed beside it stays), larger and
// smaller, turned by quarters. Markup: [data-document-viewer] around the fragment, [data-viewer="address"] on links.

import { restore } from "./kept.js";

const LEAST = 50;
const MOST = 400;
const STEP = 50;

const place = document.querySelector("[data-document-viewer]");
let size = 100;
let turn = 0;

const paper = () => place.querySelector("[data-paper]");

function say(text, number) {
  const said = place.querySelector("[data-viewer-said]");
  if (said) said.textContent = `${text} ${number}`;
}

function draw() {
  const shown = paper();
  const stage = place.querySelector("[data-stage]");
  if (!shown || !stage) return;
  shown.style.setProperty("--bl-size", size / 100);
  shown.style.setProperty("--bl-turn", `${turn}deg`);
  // A turned paper keeps its place in the layout; room for its long side is made around it.
  const aside = turn % 180 !== 0;
  const spare = aside ? Math.max(0, (shown.offsetWidth - shown.offsetHeight) / 2) : 0;
  shown.style.setProperty("--bl-spare", `${spare}px`);
}

async function show(answer) {
  place.innerHTML = await answer.text();
  size = 100;
  turn = 0;
  restore(place);
}

// Refused in its place: the review beside it stays as it is. Whatever else has to be asked first, such as the factor,
// goes the plain way.
async function send(form) {
  const fields = new URLSearchParams(new FormData(form));
  fields.set("part", "1");
  try {
    const answer = await fetch(form.action, { method: "POST", body: fields, redirect: "manual" });
    if (![200, 400, 409].includes(answer.status)) throw new Error(`${answer.status}`);
    await show(answer);
    place.querySelector("dialog[data-open]")?.showModal();
  } catch {
    form.submit();
  }
}

async function open(link) {
  const answer = await fetch(link.dataset.viewer, { credentials: "same-origin" });
  if (!answer.ok || answer.redirected) {
    window.location.assign(link.href);
    return;
  }
  await show(answer);
  history.replaceState(null, "", link.href);
  place.querySelector("[data-stage]")?.focus({ preventScroll: true });
}

if (place) {
  place.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-in-place]")) return;
    event.preventDefault();
    if (!event.target.dataset.sent) send(event.target);
  });
  place.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const link = target?.closest("[data-viewer]");
    if (link && !event.metaKey && !event.ctrlKey && !event.shiftKey) {
      event.preventDefault();
      open(link);
      return;
    }
    const zoom = target?.closest("[data-zoom]");
    if (zoom) {
      size = Math.min(MOST, Math.max(LEAST, size + (zoom.dataset.zoom === "in" ? STEP : -STEP)));
      draw();
      say(place.querySelector("[data-viewer-said]").dataset.zoomText, size);
    }
    if (target?.closest("[data-turn]")) {
      turn = (turn + 90) % 360;
      draw();
      say(place.querySelector("[data-viewer-said]").dataset.turnText, turn);
    }
  });
}
