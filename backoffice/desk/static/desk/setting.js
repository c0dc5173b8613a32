// Shows what would change, from and to, while somebody types.

const form = document.querySelector("[data-setting]");
const line = form?.querySelector("[data-change]");

function typed() {
  const boxes = [...form.querySelectorAll('input[name="value"][type="checkbox"]')];
  const field = form.elements.value;
  if (boxes.length === 1 && !boxes[0].closest("fieldset")) return boxes[0].checked ? form.dataset.yes : form.dataset.no;
  if (boxes.length) {
    const chosen = boxes.filter((box) => box.checked).map((box) => box.closest("label").textContent.trim());
    return chosen.join(", ") || form.dataset.none;
  }
  if (field instanceof HTMLSelectElement) return field.selectedOptions[0]?.textContent ?? "";
  const text = field.value.trim();
  if (field instanceof HTMLTextAreaElement) return text.split(/\s*\n\s*/).filter(Boolean).join(", ") || form.dataset.none;
  return text && form.dataset.suffix ? `${text} ${form.dataset.suffix}` : text;
}

function show() {
  const now = typed();
  line.hidden = !now || now === line.dataset.first;
  line.querySelector("[data-change-to]").textContent = now;
}

if (line) {
  // What stands there first is the value in force, unless a refusal brought back what was typed.
  line.dataset.first = form.querySelector(".bl-field__error") ? "" : typed();
  form.addEventListener("input", show);
  show();
}
