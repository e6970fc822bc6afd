// What every moving picture needs. Text is only ever set as text: names come from the stream.
window.labMoving = window.labMoving || { kinds: {} };
labMoving.svg = (parent, tag, attributes = {}, text) => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  return parent.appendChild(made);
};
labMoving.html = (parent, tag, attributes = {}, text) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  return parent.appendChild(made);
};
// A white drawing of the given size that shrinks with its page.
labMoving.canvas = (parent, width, height, alt) => {
  const svg = labMoving.svg(parent, "svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img",
    "aria-label": alt, "font-family": "DejaVu Sans, Verdana, sans-serif", "font-size": 14,
    style: "max-width:100%;height:auto;display:block" });
  return svg;
};
// A slider over the positions of a list of values; `show` makes the text beside it.
labMoving.slider = (parent, name, label, values, at, show, changed) => {
  const line = labMoving.html(parent, "label", { style: "display:inline-flex;align-items:center;gap:.5em;margin:0 1.4em .3em 0" });
  labMoving.html(line, "span", {}, label);
  const input = labMoving.html(line, "input", { type: "range", min: 0, max: values.length - 1, step: 1, value: at, name,
    style: "width:9em" });
  const said = labMoving.html(line, "output", { style: "min-width:3.5em;font-weight:bold" }, show(values[at]));
  input.value = at;
  input.addEventListener("input", () => { said.textContent = show(values[+input.value]); changed(); });
  return { input, said, value: () => values[+input.value] };
};
// What the marks mean. The ground of a mark is that of a drawing, and turns dark with it.
labMoving.legend = (parent, marks, colors) => {
  const legend = labMoving.html(parent, "p", { style: "margin:0 0 .3em;font-size:.9em" });
  for (const [mark, name, text] of marks) {
    const both = labMoving.html(legend, "span", { style: "display:inline-block;white-space:nowrap;margin-right:1.1em" });
    labMoving.html(both, "span", { class: "lab-mark", style: `color:${colors[name]};font-weight:bold;padding:0 .3em` }, mark);
    labMoving.html(both, "span", {}, ` ${text}`);
  }
  return legend;
};
labMoving.ticks = (from, to, most) => {
  const rough = (to - from) / most || 1, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map(one => one * power).find(one => one >= rough);
  const found = [];
  for (let at = Math.ceil(from / step) * step; at <= to + step * 1e-9; at += step) found.push(at);
  return found;
};
labMoving.pattern = (svg, id, path, color) => {
  const made = labMoving.svg(svg, "pattern", { id, width: 6, height: 6, patternUnits: "userSpaceOnUse" });
  labMoving.svg(made, "rect", { width: 6, height: 6, fill: "#fff" });
  labMoving.svg(made, "path", { d: path, stroke: color, "stroke-width": 1, fill: "none" });
  return `url(#${id})`;
};
labMoving.start = () => {
  for (const figure of document.querySelectorAll("figure.lab-moving:not([data-drawn])")) {
    const draw = labMoving.kinds[figure.dataset.kind], held = figure.querySelector('script[type="application/json"]');
    if (!draw || !held) continue;
    figure.dataset.drawn = "yes";
    figure.setAttribute("data-lm-suppress-shortcuts", "true");  // arrow keys belong to the sliders, not to JupyterLab
    const still = figure.querySelector("img");
    const stage = labMoving.html(figure, "div", { style: "max-width:800px" });
    draw(stage, JSON.parse(held.textContent), still ? still.alt : "", `lab${labMoving.count = (labMoving.count || 0) + 1}`);
    if (still) still.style.display = "none";  // a page's own rule for pictures would win over `hidden`
  }
};
setTimeout(labMoving.start, 0);
