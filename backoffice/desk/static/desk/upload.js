// The theme expects a text field beside every file input and fails without one; a plain file input needs none.

document.addEventListener(
  "change",
  (event) => {
    if (event.target instanceof Element && event.target.matches("input[type=file][data-plain]")) event.stopPropagation();
  },
  { capture: true },
);
