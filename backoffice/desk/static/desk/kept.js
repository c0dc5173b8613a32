// Keeps what is typed into a form until it was carried out: through an ended session, a lost claim, a reload. In this
// window only, and for the person at it only.
//
//   <main data-person="…">              who is at it; what somebody else typed in this window is forgotten
//   <form data-keep="application:7">    is kept; data-keep-bound: its values are what was sent, not what was saved
//   <input type="hidden" data-keep-field>   hidden fields are kept only with this, files and passwords never
//   <div data-kept="application:7 …" hidden>   says that something was put back: [data-kept-back]; or shows the words
//       while their form is not on the page: [data-kept-waits], [data-kept-words]. [data-kept-discard] forgets them.
//
// The cookie backlot_settled names what was carried out, or what its names begin with.

const PREFIX = "backlot.kept:";
const LEFT_OUT = ["hidden", "password", "file", "submit", "button", "image", "reset"];
const channel = new BroadcastChannel("backlot.kept");
const shownFirst = new WeakMap(); // form -> its values as the server sent them
const putBack = new Set();
let person = "";

const address = (thing) => `${PREFIX}${person}:${thing}`;
const keys = () => Object.keys(sessionStorage).filter((key) => key.startsWith(PREFIX));
const stored = (thing) => JSON.parse(sessionStorage.getItem(address(thing)) ?? "null");
const forms = (root) => [...root.querySelectorAll("form[data-keep]")];

const belongs = (control) =>
  control.name !== "" &&
  !control.disabled &&
  (!LEFT_OUT.includes(control.type) || control.hasAttribute("data-keep-field"));

const ticks = (control) => control.type === "checkbox" || control.type === "radio";

function read(form) {
  const fields = {};
  const words = [];
  for (const control of [...form.elements].filter(belongs)) {
    const values = (fields[control.name] ??= []);
    if (!ticks(control)) values.push(control.value);
    else if (control.checked) values.push(control.value);
    if (control.matches("textarea, input[type=text], input:not([type])")) words.push(control.name);
  }
  return { fields, words };
}

function write(form, fields) {
  const places = {};
  for (const control of [...form.elements].filter(belongs)) {
    const values = fields[control.name];
    if (!values) continue;
    if (ticks(control)) {
      control.checked = values.includes(control.value);
    } else {
      const place = (places[control.name] = (places[control.name] ?? -1) + 1);
      if (values[place] !== undefined) control.value = values[place];
    }
  }
}

const plain = (values) => JSON.stringify(values.map((value) => value.trim()));
const differ = (one, other) =>
  Object.keys(one).filter((name) => name in other && plain(one[name]) !== plain(other[name]));

function keep(form) {
  if (!person) return; // signed out in another window meanwhile
  const now = read(form);
  const before = stored(form.dataset.keep);
  // A page may show a part of a form only; what is not on it stays as it was.
  const fields = { ...before?.fields, ...now.fields };
  const words = [...new Set([...(before?.words ?? []), ...now.words])];
  sessionStorage.setItem(address(form.dataset.keep), JSON.stringify({ fields, words }));
}

// Scripts fill in fields without an event: what differs from what the server sent is kept too.
function keepChanged() {
  for (const form of forms(document)) {
    const first = shownFirst.get(form);
    if (first && differ(first, read(form).fields).length > 0) keep(form);
  }
}

const forget = (matches) => {
  for (const key of keys()) if (matches(key)) sessionStorage.removeItem(key);
};

function settle() {
  const note = document.cookie.split("; ").find((part) => part.startsWith("backlot_settled="));
  if (!note) return;
  document.cookie = "backlot_settled=; Max-Age=0; Path=/admin/; SameSite=Lax";
  const name = decodeURIComponent(note.slice("backlot_settled=".length));
  forgetSettled(name);
  channel.postMessage({ settled: name }); // the cookie is read by one window, the words may be in another
}

function forgetSettled(name) {
  const done = address(name);
  forget((key) => key === done || key.startsWith(`${done}:`));
}

function tell(block) {
  const things = block.dataset.kept.split(" ").filter(Boolean);
  const there = new Set(forms(document).filter((form) => read(form).words.length).map((form) => form.dataset.keep));
  const waiting = things.filter((thing) => !there.has(thing) && stored(thing));
  const back = things.some((thing) => putBack.has(thing));
  const words = waiting.flatMap((thing) => {
    const { fields, words: names } = stored(thing);
    return names.flatMap((name) => fields[name]).filter((value) => value.trim() !== "");
  });
  block.querySelector("[data-kept-back]").hidden = !back;
  block.querySelector("[data-kept-waits]").hidden = waiting.length === 0;
  const list = block.querySelector("[data-kept-words]");
  list.hidden = words.length === 0;
  list.replaceChildren(
    ...words.map((value) => {
      const quote = document.createElement("blockquote");
      quote.className = "bl-quote";
      quote.textContent = value;
      return quote;
    }),
  );
  block.hidden = !back && waiting.length === 0;
}

function discard(block) {
  const things = block.dataset.kept.split(" ");
  for (const form of forms(document).filter((form) => things.includes(form.dataset.keep))) {
    write(form, shownFirst.get(form));
    for (const control of [...form.elements].filter(belongs)) {
      control.dispatchEvent(new Event("change", { bubbles: true }));
    }
  }
  for (const thing of things) {
    sessionStorage.removeItem(address(thing));
    putBack.delete(thing);
  }
  tell(block);
}

// Puts back what was kept of the forms in this part of the page.
export function restore(root = document) {
  if (!person) return;
  settle();
  for (const form of forms(root)) {
    const shown = read(form).fields;
    shownFirst.set(form, shown);
    const thing = form.dataset.keep;
    const kept = stored(thing);
    if (!kept) continue;
    if (differ(shown, kept.fields).length > 0) {
      write(form, kept.fields);
      putBack.add(thing);
    } else if (!("keepBound" in form.dataset) && Object.keys(kept.fields).every((name) => name in shown)) {
      sessionStorage.removeItem(address(thing));
    }
  }
  document.querySelectorAll("[data-kept]").forEach(tell);
}

export function start() {
  channel.addEventListener("message", ({ data }) => {
    if (data.settled) return forgetSettled(data.settled);
    person = "";
    forget(() => true);
  });
  person = document.querySelector("[data-person]")?.dataset.person ?? "";
  if (!person) return;
  forget((key) => !key.startsWith(address("")));
  restore();
  for (const name of ["input", "change"]) {
    document.addEventListener(name, (event) => {
      const form = event.target.form;
      if (form?.matches("[data-keep]")) keep(form);
    });
  }
  document.addEventListener("submit", keepChanged);
  window.addEventListener("pagehide", keepChanged);
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-kept-discard]") : null;
    if (!button) return;
    discard(button.closest("[data-kept]"));
  });
}

// Somebody signed out: no window of this browser keeps their words.
export function signedOut() {
  forget(() => true);
  channel.postMessage({ signedOut: true });
}
