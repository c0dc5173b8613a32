// Draws the charts of a report page. A chart is <div data-chart="id"> beside a json_script of that id that
// holds a Plotly figure; colours in it are names of CSS variables, so that both themes share one figure.

const settings = { displayModeBar: false, responsive: true };

// Plotly knows neither light-dark() nor oklch(): the browser paints the colour and tells what came out.
const pixel = Object.assign(document.createElement("canvas"), { width: 1, height: 1 })
  .getContext("2d", { willReadFrequently: true });

function colour(variable) {
  const probe = document.createElement("span");
  probe.hidden = true;
  probe.style.color = `var(${variable})`;
  document.body.append(probe);
  pixel.clearRect(0, 0, 1, 1);
  pixel.fillStyle = getComputedStyle(probe).color;
  pixel.fillRect(0, 0, 1, 1);
  probe.remove();
  const [red, green, blue] = pixel.getImageData(0, 0, 1, 1).data;
  return `rgb(${red}, ${green}, ${blue})`;
}

function coloured(value, memory) {
  if (typeof value === "string" && value.startsWith("--bl-")) {
    memory[value] ??= colour(value);
    return memory[value];
  }
  if (Array.isArray(value)) return value.map((item) => coloured(item, memory));
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, coloured(item, memory)]));
  }
  return value;
}

function axis(given) {
  const line = "--bl-line";
  return { ...given, gridcolor: line, zerolinecolor: "--bl-line-strong", linecolor: line, fixedrange: true };
}

function draw(place) {
  const figure = JSON.parse(document.getElementById(place.dataset.chart).textContent);
  const layout = {
    ...figure.layout,
    autosize: true,
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: getComputedStyle(place).fontFamily, size: 12, color: "--bl-text" },
    hoverlabel: { bgcolor: "--bl-surface", bordercolor: "--bl-line-strong", font: { color: "--bl-strong" } },
    xaxis: axis(figure.layout.xaxis),
    yaxis: axis(figure.layout.yaxis),
  };
  const memory = {};
  return window.Plotly.react(place, coloured(figure.data, memory), coloured(layout, memory), settings)
    .then(() => place.removeAttribute("aria-busy"));
}

function drawAll() {
  if (!window.Plotly) return;
  document.querySelectorAll("[data-chart]").forEach(draw);
}

// Alpine hides and shows parts of the page while it starts; a chart drawn before would have no width.
document.addEventListener("alpine:initialized", drawAll, { once: true });
if (document.readyState === "complete") drawAll();
else window.addEventListener("load", drawAll, { once: true });

new MutationObserver(drawAll).observe(document.documentElement, {
  attributes: true,
  attributeFilter: ["class", "data-theme"],
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
