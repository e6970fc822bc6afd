// The hash ring of a stream: type a partition key, see the shard that its MD5 falls into.
// MD5 as in RFC 1321, because browsers offer none: the bytes of the text in, 32 hexadecimal digits out.
labMoving.md5 = text => {
  const bytes = new TextEncoder().encode(text), length = (((bytes.length + 8) >> 6) + 1) * 64;
  const padded = new Uint8Array(length), view = new DataView(padded.buffer);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  view.setUint32(length - 8, bytes.length * 8, true);
  const turns = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];
  const sines = Array.from({ length: 64 }, (_, i) => Math.floor(Math.abs(Math.sin(i + 1)) * 2 ** 32) | 0);
  const state = [0x67452301, 0xefcdab89 | 0, 0x98badcfe | 0, 0x10325476];
  for (let block = 0; block < length; block += 64) {
    let [a, b, c, d] = state;
    for (let i = 0; i < 64; i++) {
      const round = i >> 4;
      const mixed = [(b & c) | (~b & d), (b & d) | (c & ~d), b ^ c ^ d, c ^ (b | ~d)][round];
      const word = [i, 5 * i + 1, 3 * i + 5, 7 * i][round] % 16;
      const sum = (a + mixed + sines[i] + view.getInt32(block + 4 * word, true)) | 0, by = turns[round][i % 4];
      [a, d, c, b] = [d, c, b, (b + ((sum << by) | (sum >>> (32 - by)))) | 0];
    }
    [a, b, c, d].forEach((value, place) => { state[place] = (state[place] + value) | 0; });
  }
  const out = new DataView(new ArrayBuffer(16));
  state.forEach((value, place) => out.setInt32(4 * place, value, true));
  return Array.from({ length: 16 }, (_, place) => out.getUint8(place).toString(16).padStart(2, "0")).join("");
};
labMoving.kinds.ring = (stage, data, alt, id) => {
  const { svg: draw, html } = labMoving, color = data.colors;
  const W = 560, H = 380, X = W / 2, Y = H / 2, OUTER = 130, INNER = 84;
  const part = hex => parseInt(hex.slice(0, 12), 16) / 2 ** 48;  // of the whole ring; 48 bits are plenty for a drawing
  const at = (share, radius) => [X + radius * Math.sin(2 * Math.PI * share), Y - radius * Math.cos(2 * Math.PI * share)];
  const line = html(stage, "label", { style: "display:block;margin:.3em 0" }, "partition key ");
  const input = html(line, "input", { type: "text", name: "key", value: data.keys[0] || "", placeholder: "type a key", size: 34 });
  const said = html(stage, "p", { "aria-live": "polite", class: "lab-said", style: "margin:.3em 0;min-height:2.6em" });
  const svg = labMoving.canvas(stage, W, H, alt), defs = draw(svg, "defs");
  const lines = ["", "M0,6L6,0", "M1,1h1M4,4h1", "M0,6L6,0M0,0L6,6"];
  const parts = data.shards.map(([name, first, last], number) => {
    const begin = part(first), end = Math.max(part(last), begin + 1e-6), large = end - begin > .5 ? 1 : 0;
    const middle = (begin + end) / 2, shade = data.shades[number % 4];
    const whole = end - begin > .9999, [x0, y0] = at(begin, OUTER), [x1, y1] = at(whole ? end - 1e-4 : end, OUTER);
    const [x2, y2] = at(whole ? end - 1e-4 : end, INNER), [x3, y3] = at(begin, INNER);
    const shape = draw(svg, "path", { d: `M${x0},${y0}A${OUTER},${OUTER} 0 ${large} 1 ${x1},${y1}L${x2},${y2}A${INNER},${INNER} 0 ${large} 0 ${x3},${y3}z`,
      fill: labMoving.pattern(defs, `${id}r${number}`, lines[number % 4], shade), stroke: shade, "stroke-width": 2 });
    draw(shape, "title", {}, name);
    const [tx, ty] = at(middle, OUTER + 30);
    const text = draw(svg, "text", { x: tx, y: ty + 4, "text-anchor": "middle", fill: color.ink }, `…${name.slice(-3)}`);
    return { name, first, last, shape, text };
  });
  const hand = draw(svg, "path", { fill: color.watermark, stroke: color.watermark, "stroke-width": 3 });
  const center = draw(svg, "text", { x: X, y: Y + 44, "text-anchor": "middle", fill: color.ink, "font-weight": "bold" });
  const update = () => {
    const key = input.value;
    hand.setAttribute("visibility", key ? "visible" : "hidden");
    if (!key) { said.textContent = "Type a key: its MD5 decides the shard."; said.dataset.shard = ""; center.textContent = ""; return; }
    const hash = labMoving.md5(key), found = parts.find(one => one.first <= hash && hash <= one.last);
    const [x, y] = at(part(hash), INNER + 12), [left, top] = at(part(hash) - .012, INNER - 6), [right, bottom] = at(part(hash) + .012, INNER - 6);
    hand.setAttribute("d", `M${X},${Y}L${x},${y}M${left},${top}L${x},${y}L${right},${bottom}z`);
    parts.forEach(one => { one.shape.setAttribute("stroke-width", one === found ? 5 : 2); one.text.setAttribute("font-weight", one === found ? "bold" : "normal"); });
    said.dataset.hash = hash; said.dataset.shard = found ? found.name : "";
    center.textContent = found ? `…${found.name.slice(-3)}` : "";
    said.textContent = `MD5 ${hash}, at ${(100 * part(hash)).toFixed(1)} % of the ring: ` + (found ? found.name : "no open shard") + ".";
  };
  input.addEventListener("input", update);
  update();
};
