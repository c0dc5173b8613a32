// A decision that can still be taken back: counts down, and goes when its time is over.
//   <div data-undo-until="2026-01-01T12:00:00+00:00"> … <span data-undo-left></span></div>

document.querySelectorAll("[data-undo-until]").forEach((element) => {
  const until = Date.parse(element.dataset.undoUntil);
  const left = element.querySelector("[data-undo-left]");
  const timer = setInterval(tick, 250);
  function tick() {
    const seconds = Math.ceil((until - Date.now()) / 1000);
    if (seconds <= 0) {
      clearInterval(timer);
      element.hidden = true;
      return;
    }
    if (left) left.textContent = `${seconds} s`;
  }
  tick();
});
