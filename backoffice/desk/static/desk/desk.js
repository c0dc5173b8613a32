// Behaviour that every staff screen shares. Markup says what it wants by data attributes; nothing here knows a noun.
//   data-dialog="id"   opens that <dialog>          data-close     closes the dialog it is in
//   data-once          a form that is sent once      data-copy="…"  copies a text
//   data-href="…"      a select that goes to its chosen value's address

import { start } from "./kept.js";
import { listen, showHelp } from "./keys.js";

start();
listen();

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  if (!target) return;

  const opener = target.closest("[data-dialog]");
  if (opener) {
    const dialog = document.getElementById(opener.dataset.dialog);
    if (dialog) {
      event.preventDefault();
      dialog.showModal();
      dialog.querySelector("[data-focus], textarea, select, input:not([type=hidden])")?.focus();
    }
    return;
  }

  const closer = target.closest("[data-close]");
  if (closer) {
    event.preventDefault();
    closer.closest("dialog")?.close();
    return;
  }

  if (target.closest("[data-keys-help]")) {
    showHelp(document.getElementById("keys-help"));
    return;
  }

  const copier = target.closest("[data-copy]");
  if (copier) {
    navigator.clipboard?.writeText(copier.dataset.copy);
  }
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement)) return;
  // A file comes without a new page, so the dialog that asked for it would stay.
  if (form.matches("[data-download]")) form.closest("dialog")?.close();
  if (!form.matches("[data-once]")) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
});

// A page restored by the Back button can be sent again.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent);
});

// Dialogs that came back with an error from the server open by themselves.
document.querySelectorAll("dialog[data-open]").forEach((dialog) => dialog.showModal());
