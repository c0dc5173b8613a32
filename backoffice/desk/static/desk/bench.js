// The review bench: player keys, the frame sheet, time codes, the message of a rejection.
//   <video data-video>, [data-play], [data-seek="-5"], [data-rate="1"], [data-unguard]
//   <div data-frames data-columns data-rows data-interval data-duration><img></div>   clicking a frame goes there
//   [data-stamp] marks the moment; [data-stamps] lists them; input[data-timecodes] carry them, in seconds
//   [data-policy][data-message] chooses a policy and shows its message in [data-message-shown]

import "./undo.js";

const RATES = [0.5, 0.75, 1, 1.25, 1.5, 2, 3, 4];
const video = document.querySelector("[data-video]");

const code = (seconds) => {
  const whole = Math.floor(seconds);
  const hours = Math.floor(whole / 3600);
  const rest = `${Math.floor((whole % 3600) / 60)}:${String(whole % 60).padStart(2, "0")}`;
  return hours ? `${hours}:${rest.padStart(5, "0")}` : rest;
};

document.querySelectorAll("[data-duration-ms]").forEach((element) => {
  const length = Number(element.dataset.durationMs);
  if (length) element.textContent = code(length / 1000);
});

// ---------------------------------------------------------------- player

function go(seconds) {
  if (!video) return;
  video.currentTime = Math.max(0, seconds);
  video.focus({ preventScroll: true });
}

if (video) {
  const shown = document.querySelector("[data-rate-shown]");
  document.querySelectorAll("[data-play]").forEach((button) =>
    button.addEventListener("click", () => {
      if (video.paused) video.play().catch(() => {});
      else video.pause();
    }),
  );
  document.querySelectorAll("[data-seek]").forEach((button) =>
    button.addEventListener("click", () => {
      video.currentTime = Math.max(0, video.currentTime + Number(button.dataset.seek));
    }),
  );
  document.querySelectorAll("[data-rate]").forEach((button) =>
    button.addEventListener("click", () => {
      const place = RATES.indexOf(video.playbackRate) + Number(button.dataset.rate);
      video.playbackRate = RATES[Math.min(RATES.length - 1, Math.max(0, place))];
      if (shown) shown.textContent = `${video.playbackRate}×`;
    }),
  );
  document.querySelectorAll("[data-unguard]").forEach((button) =>
    button.addEventListener("click", () => {
      const clear = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(clear));
      document.querySelectorAll("[data-video], [data-frames] img").forEach((element) => {
        element.classList.toggle("bl-guarded", !clear);
      });
    }),
  );
}

// ---------------------------------------------------------------- frames

document.querySelectorAll("[data-frames]").forEach((sheet) => {
  const columns = Number(sheet.dataset.columns);
  const rows = Number(sheet.dataset.rows);
  const interval = Number(sheet.dataset.interval) / 1000;
  if (!columns || !rows || !interval || !video) return;
  const cells = document.createElement("div");
  cells.className = "bl-sheet__cells";
  cells.style.gridTemplateColumns = `repeat(${columns}, 1fr)`;
  cells.style.gridTemplateRows = `repeat(${rows}, 1fr)`;
  const length = Number(sheet.dataset.duration) / 1000 || Infinity;
  for (let index = 0; index < columns * rows && index * interval <= length; index += 1) {
    const at = index * interval;
    const cell = document.createElement("button");
    cell.type = "button";
    cell.setAttribute("aria-label", `${sheet.dataset.label} ${code(at)}`);
    const time = document.createElement("time");
    time.textContent = code(at);
    cell.append(time);
    cell.addEventListener("click", () => go(at));
    cells.append(cell);
  }
  sheet.append(cells);
});

// ---------------------------------------------------------------- time codes

const list = document.querySelector("[data-stamps]");
const carriers = [...document.querySelectorAll("[data-timecodes]")];
const parsed = (text) =>
  text
    .split(",")
    .filter((part) => part.trim() !== "")
    .map(Number);
const stamps = new Set(parsed(carriers.find((input) => input.value)?.value ?? ""));
const message = document.querySelector("[data-message-shown]");
let suggested = null;

function withStamps(text) {
  const marked = [...stamps].sort((a, b) => a - b).map(code);
  return marked.length && text ? `${text}\n${marked.join(", ")}` : text;
}

function showStamps() {
  const ordered = [...stamps].sort((a, b) => a - b);
  carriers.forEach((input) => {
    input.value = ordered.join(",");
  });
  if (!list) return;
  list.replaceChildren(
    ...ordered.map((seconds) => {
      const row = document.createElement("li");
      const seek = document.createElement("button");
      seek.type = "button";
      seek.className = "bl-btn bl-btn--small";
      seek.textContent = code(seconds);
      seek.addEventListener("click", () => go(seconds));
      const remove = document.createElement("button");
      remove.type = "button";
      remove.className = "bl-btn bl-btn--small bl-btn--quiet";
      remove.textContent = "×";
      remove.setAttribute("aria-label", `${list.dataset.removeLabel} ${code(seconds)}`);
      remove.addEventListener("click", () => {
        stamps.delete(seconds);
        showStamps();
      });
      row.append(seek, remove);
      return row;
    }),
  );
  const note = document.querySelector("[data-no-stamps]");
  if (note) note.hidden = ordered.length > 0;
  // Only what we wrote ourselves is rewritten; the moderator's own words stay.
  if (message && suggested !== null && message.value === suggested.shown) {
    suggested = { text: suggested.text, shown: withStamps(suggested.text) };
    message.value = suggested.shown;
  }
}

document.querySelectorAll("[data-stamp]").forEach((button) =>
  button.addEventListener("click", () => {
    if (!video) return;
    stamps.add(Math.floor(video.currentTime));
    showStamps();
  }),
);
if (stamps.size) showStamps();
// What kept.js had put back was discarded.
carriers.forEach((input) =>
  input.addEventListener("change", () => {
    stamps.clear();
    parsed(input.value).forEach((seconds) => stamps.add(seconds));
    showStamps();
  }),
);

// ---------------------------------------------------------------- rejection

const chosen = document.querySelector("[data-policy-chosen]");
const policies = [...document.querySelectorAll("[data-policy]")];

function press(id) {
  policies.forEach((policy) => policy.setAttribute("aria-pressed", String(policy.dataset.policy === id)));
}

policies.forEach((policy) =>
  policy.addEventListener("click", () => {
    chosen.value = policy.dataset.policy;
    press(chosen.value);
    const own = message.value.trim() !== "" && (suggested === null || message.value !== suggested.shown);
    if (!own) {
      suggested = { text: policy.dataset.message, shown: withStamps(policy.dataset.message) };
      message.value = suggested.shown;
    }
    document.querySelector("[data-send]")?.focus();
  }),
);
if (chosen?.value) press(chosen.value);
