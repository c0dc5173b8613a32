// The featured board with keys and dragging. Everything here also works by button, without this file.

const board = document.querySelector(".board");
board.dataset.ready = "";

// Section digits, while no field has the focus and a title is chosen.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input:not([type=radio]), select, textarea")) return;
  const button = board.querySelector(`button[data-digit="${CSS.escape(event.key)}"]`);
  if (!button) return;
  event.preventDefault();
  button.form.requestSubmit(button);
});

for (const list of board.querySelectorAll("[data-sortable]")) {
  const form = document.getElementById(list.dataset.sortable);
  const order = () => [...list.querySelectorAll("input[name=slots]")].map((input) => input.value).join();
  let before = "";
  let dragged = null;
  for (const grip of list.querySelectorAll(".slot__grip")) grip.draggable = true;
  list.addEventListener("dragstart", (event) => {
    dragged = event.target.closest(".slot");
    before = order();
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setDragImage(dragged, 0, 0);
    dragged.classList.add("slot--dragged");
  });
  list.addEventListener("dragover", (event) => {
    const over = event.target.closest(".slot");
    if (!dragged || !over) return;
    event.preventDefault();
    if (over === dragged) return;
    const box = over.getBoundingClientRect();
    over[event.clientY > box.top + box.height / 2 ? "after" : "before"](dragged);
  });
  list.addEventListener("drop", (event) => event.preventDefault());
  list.addEventListener("dragend", () => {
    dragged.classList.remove("slot--dragged");
    dragged = null;
    if (order() !== before) form.requestSubmit();
  });
}
