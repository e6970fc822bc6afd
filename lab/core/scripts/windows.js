// Events over event time and arrival, watermarks, and windows that open and close: the player and the film of a run.
labMoving.kinds.windows = (stage, data, alt, id) => {
  const { svg: draw, html } = labMoving, color = data.colors;
  const W = 800, LEFT = 72, RIGHT = 12, TOP = 12, UPPER = 270, LOWER = 84;
  const lower = TOP + UPPER + 8, H = lower + LOWER + 40;
  const x = time => LEFT + (W - LEFT - RIGHT) * (time - data.from) / (data.to - data.from);
  const y = arrival => TOP + UPPER - UPPER * arrival / data.until;
  const seconds = ms => `${(ms / 1000).toFixed(data.until < 20000 ? 1 : 0)} s`;
  const moment = ms => data.start ? new Date(data.start + ms).toISOString().slice(11, 19) : seconds(ms);

  labMoving.legend(stage, [["●", "review", "review"], ["✕", "late", "late review"], ["▬ ▪ ▬", "watermark", "watermark"],
    ["▨", "open", "open window (dashed)"], ["▨", "closed", "closed window"]], color);
  const svg = labMoving.canvas(stage, W, H, alt);
  const defs = draw(svg, "defs");
  const hatched = { open: labMoving.pattern(defs, `${id}o`, "M1,1h1M4,4h1", color.open),
    closed: labMoving.pattern(defs, `${id}c`, "M0,6L6,0", color.closed) };
  const area = draw(draw(defs, "clipPath", { id: `${id}a` }), "rect", { x: LEFT, y: TOP, width: W - LEFT - RIGHT, height: H });
  const until = draw(draw(defs, "clipPath", { id: `${id}u` }), "rect", { x: LEFT, width: W - LEFT - RIGHT });
  for (const at of labMoving.ticks(data.from, data.to, 8)) {
    draw(svg, "line", { x1: x(at), x2: x(at), y1: TOP, y2: H - 40, stroke: color.grid });
    draw(svg, "text", { x: x(at), y: H - 22, "text-anchor": "middle", fill: color.ink }, moment(at));
  }
  for (const at of labMoving.ticks(0, data.until, 5)) {
    draw(svg, "line", { x1: LEFT, x2: W - RIGHT, y1: y(at), y2: y(at), stroke: color.grid });
    draw(svg, "text", { x: LEFT - 6, y: y(at) + 4, "text-anchor": "end", fill: color.ink }, seconds(at));
  }
  draw(svg, "text", { x: (LEFT + W) / 2, y: H - 5, "text-anchor": "middle", fill: color.ink }, "event time: when it happened");
  draw(svg, "text", { x: 14, y: TOP + UPPER / 2, "text-anchor": "middle", fill: color.ink,
    transform: `rotate(-90 14 ${TOP + UPPER / 2})` }, data.up);
  if (data.ideal) draw(svg, "line", { x1: x(0), y1: y(0), x2: x(data.until), y2: y(data.until), stroke: color.soft,
    "stroke-dasharray": "1 4", "clip-path": `url(#${id}a)` });
  const sceneLayer = draw(svg, "g", { "clip-path": `url(#${id}a)` });
  const nowLine = draw(svg, "line", { x1: LEFT, x2: W - RIGHT, stroke: color.ink, "stroke-width": 1 });
  const markLine = draw(svg, "line", { y1: TOP, y2: H - 40, stroke: color.watermark, "stroke-width": 2.4, "stroke-dasharray": "8 3 2 3" });
  const bars = draw(svg, "g", { "clip-path": `url(#${id}a)` });

  const controls = html(stage, "div", { style: "margin:.4em 0" });
  const choices = data.choices.map(one => labMoving.slider(controls, one.name, one.label, one.values, one.at, text => text, () => { build(); update(); }));
  const STEPS = 400, positions = Array.from({ length: STEPS + 1 }, (_, step) => Math.round(data.until * step / STEPS));
  const arrival = labMoving.slider(controls, "arrival", "arrival", positions, Math.round(STEPS * data.now / data.until), seconds, () => update());
  const play = html(controls, "button", { type: "button", name: "play" }, "▶ play");
  const said = html(stage, "p", { "aria-live": "polite", class: "lab-said", style: "margin:.3em 0" });
  let scene, lines, late, events, timer = null;

  const dots = list => list.map(([t, a]) => `M${x(t).toFixed(1)},${y(a).toFixed(1)}h0`).join("");
  const crosses = list => list.map(([t, a]) => `M${(x(t) - 4).toFixed(1)},${(y(a) - 4).toFixed(1)}l8,8m-8,0l8,-8`).join("");
  function build() {
    scene = data.scenes[choices.map(one => one.value()).join("|")];
    sceneLayer.replaceChildren();
    if (scene.error) return;
    events = data.sets[scene.set];
    late = new Map(scene.late);
    lines = data.lines[scene.lines];
    const good = events.filter((_, number) => !late.has(number)), bad = events.filter((_, number) => late.has(number));
    const width = events.length > 400 ? 2 : 7;
    const round = { "stroke-linecap": "round", "stroke-width": width, stroke: color.review, fill: "none" };
    draw(sceneLayer, "path", { d: dots(events), ...round, stroke: color.grid });
    const seen = draw(sceneLayer, "g", { "clip-path": `url(#${id}u)` });
    draw(seen, "path", { d: dots(good), ...round });
    draw(seen, "path", { d: crosses(bad), stroke: color.late, "stroke-width": events.length > 400 ? 1 : 2.4, fill: "none" });
    lines.forEach((line, number) => {
      let path = "";
      for (const [a, newest] of line.points) {
        const px = x(newest - scene.delay).toFixed(1), py = y(a).toFixed(1);
        path += path ? `V${py}H${px}` : `M${px},${py}`;
      }
      if (line.points.length) path += `V${y(data.until)}`;
      const made = draw(seen, "path", { d: path, stroke: color.watermark, "stroke-width": 2, fill: "none",
        "stroke-dasharray": ["", "7 3", "2 3", "9 3 2 3", "5 2 1 2 1 2"][number % 5] });
      draw(made, "title", {}, line.name);
    });
  }
  function newestAt(points, now) {
    let low = 0, high = points.length;
    while (low < high) { const half = (low + high) >> 1; if (points[half][0] <= now) low = half + 1; else high = half; }
    return low ? points[low - 1][1] : null;
  }
  function update() {
    bars.replaceChildren();
    if (scene.error) {
      said.textContent = scene.error; said.dataset.late = ""; said.dataset.watermark = "";
      markLine.setAttribute("visibility", "hidden");
      return;
    }
    const now = arrival.value(), newest = lines.map(line => newestAt(line.points, now));
    const watermark = newest.some(one => one === null) ? null : Math.min(...newest) - scene.delay;
    until.setAttribute("y", y(now)); until.setAttribute("height", H);
    nowLine.setAttribute("y1", y(now)); nowLine.setAttribute("y2", y(now));
    markLine.setAttribute("visibility", watermark === null || watermark < data.from ? "hidden" : "visible");
    if (watermark !== null) { markLine.setAttribute("x1", x(watermark)); markLine.setAttribute("x2", x(watermark)); }
    const counts = new Map();
    let lateReviews = 0, pairs = 0, reviews = 0;
    events.forEach(([t, a], number) => {
      if (a > now) return;
      reviews += 1;
      const missed = late.get(number) || 0, last = Math.floor(t / scene.slide) * scene.slide;
      lateReviews += missed > 0; pairs += missed;
      for (let start = last - scene.size + scene.slide * (1 + missed); start <= last; start += scene.slide) counts.set(start, (counts.get(start) || 0) + 1);
      for (let start = last - scene.size + scene.slide; start <= last; start += scene.slide) if (!counts.has(start)) counts.set(start, 0);
    });
    const rows = Math.min(12, Math.round(scene.size / scene.slide)), ROW = Math.min(28, LOWER / rows);
    let open = 0, closed = 0;
    for (const [start, closes, written] of scene.windows) {
      if (!counts.has(start)) continue;
      const isClosed = closes !== null && closes <= now, name = isClosed ? "closed" : "open";
      isClosed ? closed++ : open++;
      const row = ((Math.round(start / scene.slide) % rows) + rows) % rows, top = lower + row * ROW + 2;
      const begin = Math.max(x(start), LEFT - 3), wide = Math.min(x(start + scene.size), W) - begin;
      const one = draw(bars, "rect", { x: begin, y: top, width: Math.max(wide - 1, 1), height: ROW - 4, fill: hatched[name], stroke: color[name],
        "stroke-width": 1.6, "stroke-dasharray": isClosed ? "" : "5 3" });
      const flagged = written === undefined || written === null || !isClosed ? "" : `, ${written} written`;
      draw(one, "title", {}, `window ${moment(start)} to ${moment(start + scene.size)}: ${name}, ${counts.get(start)} reviews${flagged}`);
      const text = `${isClosed ? "✓ " : ""}${counts.get(start)}`, middle = begin + wide / 2;
      if (wide > 8 + 9 * text.length && ROW > 12) {
        draw(bars, "rect", { x: middle - 4 - 4.5 * text.length, y: top + 2, width: 8 + 9 * text.length, height: ROW - 8, fill: color.ground });
        draw(bars, "text", { x: middle, y: top + ROW / 2 + 2, "text-anchor": "middle", fill: color.ink, "font-size": Math.min(14, ROW - 4) }, text);
      }
    }
    said.dataset.late = pairs; said.dataset.lateReviews = lateReviews; said.dataset.open = open; said.dataset.closed = closed;
    said.dataset.watermark = watermark === null ? "" : watermark;
    said.textContent = `After ${seconds(now)}: ${reviews.toLocaleString("en")} reviews have come, the watermark ` +
      (watermark === null ? "has not begun" : `is at ${moment(watermark)}`) + `; ${open} windows are open, ${closed} closed. ` +
      `Late: ${lateReviews.toLocaleString("en")} reviews, for ${pairs.toLocaleString("en")} (review, window) pairs.`;
    if (reviewer) reviewer(now);
  }
  function stop() { clearInterval(timer); timer = null; play.textContent = "▶ play"; }
  play.addEventListener("click", () => {
    if (timer) { stop(); return; }
    if (+arrival.input.value >= STEPS) arrival.input.value = 0;
    play.textContent = "❚❚ pause";
    timer = setInterval(() => {
      if (!svg.isConnected || +arrival.input.value >= STEPS) { stop(); return; }
      arrival.input.value = +arrival.input.value + 1;
      arrival.said.textContent = seconds(arrival.value());
      update();
    }, 50);
  });
  // Beside a film: the counts of one reviewer, window by window, against the threshold.
  let reviewer = null;
  if (data.reviewers && data.reviewers.length) {
    const line = html(stage, "label", {}, "Counts of ");
    const choose = html(line, "select", { name: "reviewer" });
    data.reviewers.forEach((one, number) => html(choose, "option", { value: number }, one.name));
    const small = labMoving.canvas(stage, W, 130, "Counts of the chosen reviewer in each window, against the threshold");
    reviewer = now => {
      small.replaceChildren();
      const chosen = data.reviewers[+choose.value], counts = new Map();
      for (const [t, a] of chosen.at) {
        if (a > now) continue;
        const last = Math.floor(t / scene.slide) * scene.slide;
        for (let start = last - scene.size + scene.slide; start <= last; start += scene.slide) counts.set(start, (counts.get(start) || 0) + 1);
      }
      const top = Math.max(data.threshold + 1, chosen.most), height = count => 100 - 84 * count / top;
      for (const [start, count] of counts) {
        const over = count > data.threshold, wide = x(start + scene.slide) - x(start);
        const one = draw(small, "rect", { x: x(start + scene.size - scene.slide) + 1, y: height(count), width: Math.max(wide - 2, 1), height: 100 - height(count),
          fill: over ? color.planted : color.ground, stroke: over ? color.planted : color.not_flagged });
        draw(one, "title", {}, `window ${moment(start)} to ${moment(start + scene.size)}: ${count} reviews${over ? ", flagged" : ""}`);
        draw(small, "text", { x: x(start + scene.size - scene.slide / 2), y: height(count) - 2, "text-anchor": "middle", "font-size": 12, fill: color.ink }, `${count}${over ? "▲" : ""}`);
      }
      draw(small, "line", { x1: LEFT, x2: W - RIGHT, y1: height(data.threshold + .5), y2: height(data.threshold + .5), stroke: color.ink, "stroke-dasharray": "6 4" });
      draw(small, "line", { x1: LEFT, x2: W - RIGHT, y1: 100, y2: 100, stroke: color.ink });
      draw(small, "text", { x: LEFT - 4, y: height(data.threshold + .5) + 4, "text-anchor": "end", "font-size": 12, fill: color.ink }, `over ${data.threshold}`);
      draw(small, "text", { x: (LEFT + W) / 2, y: 122, "text-anchor": "middle", fill: color.ink }, "each window at its last slide; filled and ▲: flagged");
      draw(small, "text", { x: 14, y: 52, "text-anchor": "middle", "font-size": 12, fill: color.ink, transform: "rotate(-90 14 52)" }, "reviews");
    };
    choose.addEventListener("change", () => update());
  }
  build(); update();
};
