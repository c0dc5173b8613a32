// Sign-in pages: the first empty field is where typing starts, or the one with an error.
const form = document.querySelector("[data-first-field]");
const fields = form ? [...form.querySelectorAll("input:not([type=hidden], [type=checkbox]):enabled")] : [];
(fields.find((field) => field.getAttribute("aria-invalid") === "true") ?? fields.find((field) => !field.value))?.focus();
