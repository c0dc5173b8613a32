// Keys of a page. Any button, link or label with data-key="a" answers to that bare key outside inputs; "?" lists
// them. data-key="ctrl+Enter" answers inside inputs too. While a dialog is open only its own keys count.
// data-key-label names the action in the list when the element's own text does not.

const EDITABLE =
  'input:not([type="checkbox"], [type="radio"], [type="button"], [type="submit"]), textarea, select, ' +
  '[contenteditable=""], [contenteditable="true"]';

const pressed = (event) => (event.ctrlKey || event.metaKey ? `ctrl+${event.key}` : event.key);

const visible = (element) => element.getClientRects().length > 0 && !element.disabled;

const scope = () => document.querySelector("dialog[open]") ?? document;

export function keyed() {
  return [...scope().querySelectorAll("[data-key]")].filter(visible);
}

export function showHelp(dialog) {
  const list = dialog.querySelector("[data-keys-list]");
  list.replaceChildren();
  for (const element of keyed()) {
    const term = document.createElement("dt");
    const key = document.createElement("kbd");
    key.className = "bl-kbd";
    key.textContent = element.dataset.key.replace("ctrl+", "Ctrl ");
    term.append(key);
    const description = document.createElement("dd");
    const copy = element.cloneNode(true);
    copy.querySelectorAll("kbd, .material-symbols-outlined").forEach((node) => node.remove());
    description.textContent = element.dataset.keyLabel ?? copy.textContent.trim().replace(/\s+/g, " ");
    list.append(term, description);
  }
  dialog.querySelector("[data-keys-none]").hidden = list.childElementCount > 0;
  dialog.showModal();
}

export function listen() {
  document.addEventListener(
    "keydown",
    (event) => {
      if (event.defaultPrevented || event.altKey || event.repeat || event.isComposing) return;
      const combined = event.ctrlKey || event.metaKey;
      if (!combined && event.target instanceof Element && event.target.closest(EDITABLE)) return;
      const help = document.getElementById("keys-help");
      if (!combined && event.key === "?" && help && !help.open) {
        event.preventDefault();
        event.stopImmediatePropagation();
        showHelp(help);
        return;
      }
      const element = keyed().find((candidate) => candidate.dataset.key === pressed(event));
      if (!element) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      if (element.matches(EDITABLE)) element.focus();
      else element.click();
    },
    { capture: true },
  );
}
