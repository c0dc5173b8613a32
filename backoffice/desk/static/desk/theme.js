// The sign-in pages follow the mode chosen in the desk. Runs before the first paint, hence not a module.
(() => {
  const stored = () => {
    try {
      return JSON.parse(localStorage.getItem("adminTheme") ?? '"auto"');
    } catch {
      return "auto";
    }
  };
  const wanted = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const mode = stored();
    document.documentElement.classList.toggle("dark", mode === "dark" || (mode === "auto" && wanted.matches));
  };
  apply();
  wanted.addEventListener("change", apply);
  addEventListener("DOMContentLoaded", () => {
    document.querySelector("[data-theme-toggle]")?.addEventListener("click", () => {
      const dark = document.documentElement.classList.contains("dark");
      localStorage.setItem("adminTheme", JSON.stringify(dark ? "light" : "dark"));
      apply();
    });
  });
})();
