// Keeps a claim alive while its page is open, and shows how long it holds.
//
//   <div data-lease-heartbeat-url="…" data-lease-token="…" data-lease-until="2026-01-01T12:00:00+00:00"
//        data-lease-lost-text="…" data-lease-ended-text="…">
//     <span data-lease-countdown></span>
//     <p data-lease-message role="alert" hidden></p>
//   </div>
//
// Posts the token before a third of the lease is gone. An answer of 409 carries {"message"}: the claim is lost, the
// message is shown, there and in the dialogs that wait for it, buttons marked data-needs-lease are disabled, what is
// marked data-lease-gone (a way to claim again) appears, and nothing that was typed is touched. An ended session is
// said; any button then leads to the door. A network that fails is tried again until the time is over.

const TICK = 1000;

// A heartbeat alone does not keep somebody signed in: it says so when nobody has touched or watched the page lately.
const AT_WORK = 5 * 60_000;
let touched = Date.now();
for (const name of ["keydown", "pointerdown", "pointermove", "timeupdate"]) {
  document.addEventListener(name, () => (touched = Date.now()), { capture: true, passive: true });
}

function csrf() {
  return document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";
}

function clock(seconds) {
  const left = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
}

export function keep(element) {
  const countdown = element.querySelector("[data-lease-countdown]");
  const message = element.querySelector("[data-lease-message]");
  let until = Date.parse(element.dataset.leaseUntil);
  const length = Math.max(until - Date.now(), 15_000);
  let next = Date.now() + length / 3;
  let asking = false;
  let timer = 0;

  function lose(text) {
    clearInterval(timer);
    element.dataset.leaseState = "lost";
    if (countdown) countdown.textContent = clock(0);
    say(text);
    document.querySelectorAll("[data-needs-lease]").forEach((button) => {
      button.disabled = true;
    });
    // An open dialog hides the page behind it.
    document.querySelectorAll("dialog:has([data-needs-lease])").forEach((dialog) => {
      const said = document.createElement("p");
      said.className = "bl-alert bl-alert--error";
      said.role = "alert";
      said.textContent = text;
      dialog.prepend(said);
    });
    document.querySelectorAll("[data-lease-gone]").forEach((way) => {
      way.hidden = false;
    });
  }

  function say(text) {
    if (!message || message.textContent === text) return;
    message.textContent = text;
    message.hidden = text === "";
  }

  async function beat() {
    asking = true;
    try {
      const answer = await fetch(element.dataset.leaseHeartbeatUrl, {
        method: "POST",
        redirect: "manual",
        headers: {
          "X-CSRFToken": csrf(),
          Accept: "application/json",
          ...(Date.now() - touched > AT_WORK ? { "Backlot-By-Itself": "1" } : {}),
        },
        body: new URLSearchParams({ token: element.dataset.leaseToken }),
      });
      if (answer.ok) {
        until = Date.parse((await answer.json()).until);
        next = Date.now() + (until - Date.now()) / 3;
        say("");
      } else if (answer.status === 409) {
        lose((await answer.json()).message);
      } else {
        if (answer.type === "opaqueredirect" || answer.status === 401) say(element.dataset.leaseEndedText ?? "");
        next = Date.now() + 5_000;
      }
    } catch {
      next = Date.now() + 5_000;
    } finally {
      asking = false;
    }
  }

  function tick() {
    const left = (until - Date.now()) / 1000;
    if (left <= 0) {
      lose(element.dataset.leaseLostText ?? "");
      return;
    }
    if (countdown) countdown.textContent = clock(left);
    element.dataset.leaseState = left < 30 ? "ending" : "held";
    if (Date.now() >= next && !asking) beat();
  }

  timer = setInterval(tick, TICK);
  // A laptop that slept learns at once whether the claim still stands.
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && element.dataset.leaseState !== "lost" && !asking) beat();
  });
  tick();
}

document.querySelectorAll("[data-lease-heartbeat-url]").forEach(keep);
