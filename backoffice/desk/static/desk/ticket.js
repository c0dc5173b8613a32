// The composer of a ticket: "/" opens the templates, letters narrow them, Enter inserts; Ctrl+Enter sends and goes on.

const form = document.querySelector("[data-composer]");
const body = form.querySelector("textarea[name=body]");
const picker = form.querySelector("[data-picker]");
const opener = form.querySelector("[data-picker-open]");
const letters = form.querySelector("[data-picker-letters]");
const list = form.querySelector("[data-picker-list]");
const none = form.querySelector("[data-picker-none]");
const templates = JSON.parse(document.getElementById("reply-templates").textContent);

let shown = [];
let chosen = 0;

const fits = (template, words) => {
  const text = `${template.code} ${template.subject}`.toLowerCase();
  return words.every((word) => text.includes(word));
};

function draw() {
  const words = letters.value.toLowerCase().split(/\s+/).filter(Boolean);
  shown = templates.filter((template) => fits(template, words));
  chosen = Math.min(chosen, Math.max(shown.length - 1, 0));
  list.replaceChildren(
    ...shown.map((template, index) => {
      const option = document.createElement("li");
      option.id = `picker-${index}`;
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", String(index === chosen));
      const code = document.createElement("strong");
      code.textContent = template.code;
      const subject = document.createElement("span");
      subject.textContent = `${template.subject} (${template.language})`;
      option.append(code, subject);
      option.addEventListener("mousedown", (event) => {
        event.preventDefault();
        insert(template);
      });
      return option;
    }),
  );
  none.hidden = shown.length > 0;
  letters.setAttribute("aria-activedescendant", shown.length ? `picker-${chosen}` : "");
  list.children[chosen]?.scrollIntoView({ block: "nearest" });
}

function open() {
  picker.hidden = false;
  opener.setAttribute("aria-expanded", "true");
  letters.value = "";
  chosen = 0;
  draw();
  letters.focus();
}

function close() {
  picker.hidden = true;
  opener.setAttribute("aria-expanded", "false");
  body.focus();
}

function insert(template) {
  const before = body.value.slice(0, body.selectionStart);
  const after = body.value.slice(body.selectionEnd);
  const gap = before && !before.endsWith("\n") ? "\n" : "";
  body.value = before + gap + template.text + after;
  form.elements.template_code.value = template.code;
  close();
  const end = before.length + gap.length + template.text.length;
  body.setSelectionRange(end, end);
}

opener.addEventListener("click", () => (picker.hidden ? open() : close()));
letters.addEventListener("input", () => {
  chosen = 0;
  draw();
});
letters.addEventListener("keydown", (event) => {
  if (event.key === "Enter") {
    event.preventDefault();
    if (shown[chosen]) insert(shown[chosen]);
  } else if (event.key === "Escape") {
    event.preventDefault();
    event.stopPropagation();
    close();
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    const step = event.key === "ArrowDown" ? 1 : shown.length - 1;
    chosen = shown.length ? (chosen + step) % shown.length : 0;
    draw();
  }
});

// A slash at the start of a line of the answer means the templates too.
body.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  const before = body.value.slice(0, body.selectionStart);
  if (before === "" || before.endsWith("\n")) {
    event.preventDefault();
    open();
  }
});

form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    form.requestSubmit(form.querySelector("[data-send-next]"));
  }
});

// Fields that belong to one status only.
const then = form.querySelector("[data-then]");
function follow() {
  form.querySelectorAll("[data-when]").forEach((field) => {
    field.hidden = field.dataset.when !== then.value;
  });
}
then.addEventListener("change", follow);
follow();
