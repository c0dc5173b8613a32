// The application dossier: failing checks write the request for information in the applicant's language.
//   a check:     <input type="checkbox" data-asks="government_id">   unticked means failing
//   the dialog:  <div data-request data-intro="…"> with inputs [data-line] and one textarea

const request = document.querySelector("[data-request]");

if (request) {
  const text = request.querySelector("textarea");
  const lines = [...request.querySelectorAll("[data-line]")];
  const composed = () => {
    const asked = lines.filter((line) => line.checked).map((line) => `- ${line.dataset.line}`);
    return asked.length ? [request.dataset.intro, ...asked].join("\n") : "";
  };
  let written = text.value === composed() ? text.value : "";

  const write = () => {
    if (text.value !== written) return; // the reviewer's own words stay
    written = composed();
    text.value = written;
  };

  const askForFailing = () => {
    const failing = new Set(
      [...document.querySelectorAll("[data-asks]")]
        .filter((check) => !check.checked && !check.closest("[hidden]"))
        .map((check) => check.dataset.asks),
    );
    for (const line of lines) line.checked = failing.has(line.value);
    write();
  };

  document.querySelectorAll("[data-asks]").forEach((check) => check.addEventListener("change", askForFailing));
  lines.forEach((line) => line.addEventListener("change", write));
}

// The background check counts only where one is required.
const required = document.querySelector("[data-background-required]");
const passed = document.querySelector("[data-background-check]");
if (required && passed) {
  const show = () => {
    passed.hidden = !required.checked;
  };
  required.addEventListener("change", show);
  show();
}
