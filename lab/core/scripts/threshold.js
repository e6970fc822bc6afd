// Counts of reviewers in windows against a threshold that can be dragged, with precision and recall beside them.
labMoving.kinds.threshold = (stage, data, alt) => {
  const { svg: draw, html } = labMoving, color = data.colors;
  const W = 800, LEFT = 62, RIGHT = 12, TOP = 12, H = 330, PLOT = 270;
  const times = data.marks.map(mark => mark[0]), most = Math.max(2, ...data.marks.map(mark => mark[1]));
  const from = Math.min(...times) - data.spacing, to = Math.max(...times) + data.spacing;
  const x = time => LEFT + (W - LEFT - RIGHT) * (time - from) / (to - from);
  const isLog = most > 40, scale = count => isLog ? Math.log(count / .8) / Math.log(most * 1.3 / .8) : count / (most * 1.1);
  const y = count => TOP + PLOT * (1 - scale(Math.max(count, isLog ? .8 : 0)));
  const moment = ms => new Date(ms).toISOString().slice(11, 19);

  const flags = data.labels ? [["▲", "planted", "flagged, planted"], ["✕", "honest", "flagged, honest"]] : [["▲", "planted", "flagged"]];
  const legend = labMoving.legend(stage, [["○", "not_flagged", "not flagged"], ...flags], color);
  html(legend, "span", {}, "(larger: more reviewers; point at a mark for the names)");
  const svg = labMoving.canvas(stage, W, H, alt);
  const step = data.spacing * Math.ceil((to - from) / data.spacing / 8);
  for (let at = Math.min(...times); at <= to && x(at) < W - 30; at += step) {
    draw(svg, "text", { x: x(at), y: H - 26, "text-anchor": "middle", fill: color.ink }, moment(at));
  }
  for (const at of isLog ? [1, 2, 5, 10, 20, 50, 100, 200, 500].filter(one => one <= most) : labMoving.ticks(0, most, 6).filter(Number.isInteger)) {
    draw(svg, "line", { x1: LEFT, x2: W - RIGHT, y1: y(at), y2: y(at), stroke: color.grid });
    draw(svg, "text", { x: LEFT - 8, y: y(at) + 4, "text-anchor": "end", fill: color.ink }, at);
  }
  draw(svg, "text", { x: (LEFT + W) / 2, y: H - 6, "text-anchor": "middle", fill: color.ink }, "end of the window (event time, UTC)");
  draw(svg, "text", { x: 16, y: TOP + PLOT / 2, "text-anchor": "middle", fill: color.ink,
    transform: `rotate(-90 16 ${TOP + PLOT / 2})` }, "reviews in the window");
  const layer = draw(svg, "g");
  const limit = draw(svg, "line", { x1: LEFT, x2: W - RIGHT, stroke: color.ink, "stroke-width": 1.4, "stroke-dasharray": "8 5", "pointer-events": "none" });

  const names = html(stage, "p", { class: "lab-names", style: "margin:.2em 0;min-height:1.4em;font-size:.9em" }, "");
  const controls = html(stage, "div", { style: "margin:.4em 0" });
  const slider = labMoving.slider(controls, "threshold", "threshold: flag more than", data.scores.map(row => row[0]), data.at, String, () => update());
  const said = html(stage, "p", { "aria-live": "polite", class: "lab-said", style: "margin:.3em 0" });
  const meters = data.labels ? labMoving.canvas(stage, W, 64, "Precision and recall at the chosen threshold, as bars") : null;

  function update() {
    const [threshold, flagged, right, precision, recall] = data.scores[+slider.input.value];
    limit.setAttribute("y1", y(threshold + .5)); limit.setAttribute("y2", y(threshold + .5));
    layer.replaceChildren();
    for (const [time, count, planted, people, some] of data.marks) {
      const over = count > threshold, size = Math.min(3.5 + 1.1 * Math.sqrt(people), 11);
      const aside = !over || !data.labels ? 0 : planted ? 7 : -7, px = x(time) + aside, py = y(count);
      let mark;
      if (!over) mark = draw(layer, "circle", { cx: px, cy: py, r: size, fill: color.ground, stroke: color.not_flagged, "stroke-width": 1.3 });
      else if (planted || !data.labels) mark = draw(layer, "path", { d: `M${px},${py - size}l${size},${1.7 * size}h${-2 * size}z`, fill: color.planted });
      else mark = draw(layer, "path", { d: `M${px - size * .7},${py - size * .7}l${1.4 * size},${1.4 * size}m${-1.4 * size},0l${1.4 * size},${-1.4 * size}`,
        stroke: color.honest, "stroke-width": 2.6, "pointer-events": "bounding-box" });
      mark.setAttribute("class", over ? "flagged" : "kept");
      const listed = some.length ? `: ${some.join(", ")}${people > some.length ? ` and ${people - some.length} more` : ""}` : "";
      const text = `Window ending ${moment(time)}: ${count} ${count === 1 ? "review" : "reviews"} each by ${people} ` +
        `${people === 1 ? "reviewer" : "reviewers"}${listed}`;
      draw(mark, "title", {}, text);
      mark.addEventListener("mouseenter", () => { names.textContent = text; });
    }
    said.dataset.flagged = flagged;
    said.textContent = `More than ${threshold} reviews in a window: ${flagged.toLocaleString("en")} reviewers are flagged.`;
    if (!data.labels) return;
    said.dataset.precision = precision ?? ""; said.dataset.recall = recall ?? "";
    said.textContent += ` ${right.toLocaleString("en")} of them are planted; ${(data.planted - right).toLocaleString("en")} of ${data.planted.toLocaleString("en")} planted are missed.`;
    meters.replaceChildren();
    [["precision", precision, color.planted], ["recall", recall, color.closed]].forEach(([name, share, shade], row) => {
      const top = 6 + 28 * row, wide = W - 200 - RIGHT;
      draw(meters, "text", { x: 110, y: top + 15, "text-anchor": "end", fill: color.ink }, name);
      draw(meters, "rect", { x: 120, y: top, width: wide, height: 20, fill: "none", stroke: color.soft });
      draw(meters, "rect", { x: 120, y: top, width: wide * (share || 0), height: 20, fill: shade });
      draw(meters, "text", { x: 128 + wide, y: top + 15, fill: color.ink, "font-weight": "bold" }, share === null ? "nobody" : share.toFixed(2));
    });
  }
  update();
};
