import { signedOut } from "./kept.js";

// Whoever signs out comes here from a page of ours; an ended session says so or names the page to come back to.
const way = document.querySelector("input[name=login]")?.form;
const back = way?.querySelector("[name=next]") || new URLSearchParams(location.search).has("ended");
if (way && !back) {
  const from = document.referrer ? new URL(document.referrer) : null;
  if (from?.origin === location.origin && from.pathname !== location.pathname) signedOut();
}

// Sign-in pages: the first empty field is where typing starts, or the one with an error.
const form = document.querySelector("[data-first-field]");
const fields = form ? [...form.querySelectorAll("input:not([type=hidden], [type=checkbox]):enabled")] : [];
(fields.find((field) => field.getAttribute("aria-invalid") === "true") ?? fields.find((field) => !field.value))?.focus();
