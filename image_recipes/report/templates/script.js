const root = document.documentElement;
const words = new Map(Object.entries(JSON.parse(document.getElementById("chart-words").textContent)));
const specs = Object.fromEntries([...document.querySelectorAll("[data-chart]")].map(
  element => [element.dataset.chart, element.textContent]));
const drawn = {};
// in pixels
const LEGEND_SYMBOL = 30;

// in a chart, titles and the names in a legend are language
const korean = text => words.get(text) ?? [...words].reduce(
  (title, [english, other]) => title.startsWith(english + " (") ? title.replace(english, other) : title, text);
function translated(spec, width) {
  return JSON.parse(spec, function (key, value) {
    // legends and names take no more than a narrow page has
    if (key === "columns") return Math.max(1, Math.floor(width / (this.labelLimit + LEGEND_SYMBOL)));
    if (key === "labelLimit") return Math.min(value, width / ("columns" in this ? 1.5 : 3));
    if (root.lang !== "ko") return value;
    if (key === "title" && typeof value === "string") return korean(value);
    // of the labels, those that are words of the page's and no names
    return key === "labelExpr" && value === "datum.label" ? `${JSON.stringify(Object.fromEntries(words))}[datum.label]` : value;
  });
}
// what lies beyond a table's right edge is said, and its edge fades
function markScroll(element) {
  const hidden = element.scrollWidth - element.clientWidth;
  element.classList.toggle("more", hidden > 1 && element.scrollLeft < hidden - 1);
  if (hidden > 1 && !element.nextElementSibling?.classList.contains("hint")) {
    const hint = document.createElement("p");
    hint.className = "hint";
    hint.append(document.getElementById("scroll-hint").content.cloneNode(true));
    element.after(hint);
  } else if (hidden <= 1 && element.nextElementSibling?.classList.contains("hint")) element.nextElementSibling.remove();
}
const scrolling = new ResizeObserver(entries => entries.forEach(entry => markScroll(entry.target.closest(".scroll"))));
document.querySelectorAll(".scroll").forEach(element => {
  element.addEventListener("scroll", () => markScroll(element), {passive: true});
  scrolling.observe(element);
  scrolling.observe(element.firstElementChild);
});

const visible = id => document.getElementById(id).offsetParent !== null;
async function draw(id) {
  const place = document.getElementById(id), state = root.lang + visible(id);
  if (drawn[id] === state) return;
  drawn[id] = state;
  try {
    await embed(id, place);
  } catch (error) {
    // the other charts and the tables are there all the same
    console.error(`${id}: ${error}`);
    place.replaceChildren(document.getElementById("chart-failed").content.cloneNode(true));
  }
}
async function embed(id, place) {
  const spec = translated(specs[id], visible(id) ? place.clientWidth : document.querySelector("main").clientWidth);
  // in a closed recipe there is no width yet, but its chart is to be there when the page is printed
  if (!visible(id) && spec.width === "container") spec.width = Math.min(480, document.querySelector("main").clientWidth - 120);
  await vegaEmbed(place, spec, {actions: false, renderer: "svg"});
}
async function drawAll() {
  await Promise.all(Object.keys(specs).filter(visible).map(draw));
  root.dataset.ready = "true";
  for (const id in specs) await draw(id);
  root.dataset.complete = "true";
}

function speak(language) {
  root.lang = language;
  document.querySelectorAll("[data-language]").forEach(
    button => button.setAttribute("aria-pressed", button.dataset.language === language));
  drawAll();
}
document.querySelectorAll("[data-language]").forEach(
  button => button.addEventListener("click", () => speak(button.dataset.language)));
document.querySelectorAll("details").forEach(element => element.addEventListener("toggle", () => element.querySelectorAll(".chart").forEach(chart => draw(chart.id))));
let closed = [];
window.addEventListener("beforeprint", () => {
  closed = [...document.querySelectorAll("details:not([open])")];
  closed.forEach(element => element.open = true);
});
window.addEventListener("afterprint", () => closed.forEach(element => element.open = false));
speak(navigator.language.startsWith("ko") ? "ko" : "en");
