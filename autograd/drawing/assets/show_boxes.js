// The boxes and lines of the drawing, as elements of SVG.

const root = document.getElementById("drawing");

// ---- The diagram, with a box for each constant

const constants = [];
data.edges.forEach((edge, i) => {
  if (edge.source !== null) return;
  edge.source = `constant ${i}`;
  constants.push({
    id: edge.source, parent: data.boxes.find(box => box.id === edge.target).parent, kind: "constant", title: "", name: "",
    rows: [{text: edge.constant, role: "value"}], count: 1, closed: false, formula: null, line: null, shape: null,
    dtype: null, value: edge.constant, grad: null,
  });
});
const folded = new Folded([...data.boxes, ...constants], data.edges);
const hasGroups = data.boxes.some(box => folded.isGroup(box.id));
const boxOf = id => folded.boxes.get(id);

// ---- Texts

const KINDS = {
  leaf: "input", operation: "operation", sum: "folded sum", repeat: "repeated", module: "module", function: "function",
  hidden: "left out", failed: "failed operation", constant: "constant",
};
const ROLES = ["value", "shape", "extent", "histogram", "grad", "note", "failed"], SIGNED = ["value", "extent", "grad"];

/** A number in few characters, as Python's drawing writes it; anything else in full. */
function short(x) {
  const number = numeric(x);
  if (number === null) return typeof x === "string" ? x : JSON.stringify(x);
  if (!Number.isFinite(number)) return String(number).replace("Infinity", "inf").replace("NaN", "nan").replace("-", "−");
  const size = Math.abs(number);
  const text = size >= 10 ** data.digits && size < 1e6 ? number.toFixed(0) : String(Number(number.toPrecision(data.digits)));
  return text.replaceAll("-", "−");
}

function full(x) {
  return Array.isArray(x) ? `[${x.map(full).join(", ")}]` : String(x).replaceAll("-", "−");
}

function titleOf(box) {
  if (box.kind === "constant") return box.value;
  if (box.name) return box.title && box.title !== box.name ? `${box.name} (${box.title})` : box.name;
  if (box.count > 1 && box.kind !== "hidden") return `${box.count.toLocaleString("en")} × ${box.title || KINDS[box.kind]}`;
  return box.title || (box.rows[0]?.text ?? "");
}

/** The lines in a closed box: [text, class] parts of each. */
function linesOf(box) {
  if (box.kind === "hidden") return [[[box.title, "note"]]];
  const lines = [], many = box.count > 1 ? ` × ${box.count.toLocaleString("en")}` : "";
  const group = folded.isGroup(box.id);
  if (group) lines.push([[(box.title || box.name) + many, "name"], [box.title && box.name && box.name !== box.title ? `  ${box.name}` : "", "note"]]);
  box.rows.forEach((row, i) => {
    const role = ROLES.includes(row.role) ? row.role : "note";
    const named = i === 0 && !group && box.name, text = SIGNED.includes(role) ? minus(row.text) : row.text;
    if (named && role === "value") lines.push([[box.name, "name"], [` = ${text}`, role]]);
    else lines.push(...(named ? [[[box.name, "name"]]] : []), [[text, role]]);
  });
  if (!box.rows.length && !group && box.name) lines.push([[box.name, "name"]]);
  if (!group && many) lines.push([[many.trim(), "name"]]);
  return lines.length ? lines : [[["", "value"]]];
}

// ---- Sizes

const FONTS = {name: "bold 13px", sign: "bold 13px", grad: "italic 13px", shape: "11px", note: "11px", histogram: "11px"};
const canvas = document.createElement("canvas").getContext("2d");
const widths = new Map();

function widthOf(text, role, font = FONTS[role] ?? "13px") {
  const key = `${font} ${text}`;
  if (!widths.has(key)) {
    canvas.font = `${font} Helvetica, Arial, sans-serif`;
    widths.set(key, canvas.measureText(text).width);
  }
  return widths.get(key);
}

const LINE = 18, SPACE = 8, TOGGLE = 22;
const signOf = box => folded.isGroup(box.id) || box.kind === "leaf" || box.kind === "constant" || box.kind === "hidden" ? "" : box.title;
const sideOf = box => signOf(box) ? Math.max(widthOf(signOf(box), "sign") + 14, 26) : 0;

function sizeOf(id) {
  const box = boxOf(id), lines = linesOf(box);
  const all = lines.map(parts => parts.reduce((sum, [text, role]) => sum + widthOf(text, role), 0));
  const toggle = folded.isGroup(id) ? TOGGLE + SPACE : 0, around = 2 * SPACE + sideOf(box) + toggle;
  return [Math.ceil(Math.max(...all)) + around, Math.max(lines.length * LINE, toggle ? TOGGLE : 0) + 10, Math.ceil(all[0]) + around];
}

const minus = text => text.replaceAll("-", "−");
const factorOf = edge => !edge.text ? "" : edge.local !== null ? `× ${minus(edge.text.trim())}` : edge.text.trim();
const givesOf = edge => edge.contribution === null ? "" : edge.norm ? `‖${short(edge.contribution)}‖` : `= ${short(edge.contribution)}`;

function labelSize(edge) {
  const width = Math.max(widthOf(factorOf(edge), "", "italic 12px"), widthOf(givesOf(edge), "", "italic bold 12px"));
  return width ? [Math.ceil(width) + 8, (factorOf(edge) ? 16 : 0) + (givesOf(edge) ? 16 : 0)] : [0, 0];
}

const stubOf = id => { const title = titleOf(boxOf(id)); return title.length > 24 ? `${title.slice(0, 23)}…` : title; };
const stubSize = id => [Math.ceil(widthOf(stubOf(id), "note")) + 16, 20];

// ---- Drawing

let flow = data.direction ?? "LR", layout = null;
let chosen = null;
const content = makeSvg("g"), elements = new Map();
root.append(content);

/** Lay out what is seen and draw it anew; boxes that were there move to their places. */
function draw() {
  const before = layout;
  layout = layOut(folded, sizeOf, labelSize, stubSize, flow);
  elements.clear();
  const greatest = Math.max(0, ...layout.edges.map(edge => Math.abs(numeric(edge.contribution) ?? 0)).filter(Number.isFinite));
  const drawn = [...layout.boxes].map(([id, place]) => drawBox(id, place));
  const open = drawn.filter(element => element.classList.contains("open")), closed = drawn.filter(element => !open.includes(element));
  content.replaceChildren(...open, ...layout.lines.map(line => drawLine(line, greatest)), ...layout.far.map(drawStub), ...closed, ...open.map(drawHead));
  if (before && !calm.matches) {
    for (const [id, element] of elements) {
      const [old, now] = [before.boxes.get(id), layout.boxes.get(id)];
      const from = old ? `translate(${old.x}px, ${old.y}px)` : null, to = `translate(${now.x}px, ${now.y}px)`;
      element.animate(from ? [{transform: from}, {transform: to}] : [{opacity: 0}, {opacity: 1}], {duration: 200, easing: "ease-out"});
    }
    for (const line of content.querySelectorAll(".edge")) line.animate([{opacity: 0}, {opacity: 0}, {opacity: 1}], 260);
  }
  mark();
}

function drawBox(id, {x, y, width, height}) {
  const box = boxOf(id), group = folded.isGroup(id), open = folded.isOpen(id);
  const classes = ["box", `kind-${Object.hasOwn(KINDS, box.kind) ? box.kind : "operation"}`, group && "group", open && "open", id === data.output && "last"];
  const element = makeSvg("g", {
    class: classes.filter(Boolean).join(" "), transform: `translate(${x} ${y})`, "data-id": id, role: "button", tabindex: -1,
    "aria-label": spoken(box), "aria-expanded": group ? String(open) : null,
  });
  const round = box.kind === "leaf" || group ? 8 : 2;
  if (box.count > 1 && !open && box.kind !== "hidden") {  // a pile
    for (const by of [6, 3]) element.append(makeSvg("rect", {class: "behind", x: by, y: by, width, height, rx: round}));
  }
  element.append(makeSvg("rect", {class: "frame", width, height, rx: round}));
  const side = sideOf(box);
  if (side) {
    element.append(makeSvg("rect", {class: "side", x: 1, y: 1, width: side - 1, height: height - 2, rx: 1}));
    element.append(makeSvg("text", {class: "sign", x: side / 2, y: height / 2 + 4.5}, signOf(box)));
  }
  if (!open) element.append(...linesIn(box, linesOf(box), height));
  elements.set(id, element);
  return element;
}

/** The lines in a box, and before them, in a group, the button that opens and closes it. */
function linesIn(box, lines, height) {
  const group = folded.isGroup(box.id), left = sideOf(box) + SPACE + (group ? TOGGLE + SPACE - 4 : 0), top = (height - lines.length * LINE) / 2;
  const texts = lines.map((parts, i) => {
    const spans = parts.map(([text, role]) => makeSvg("tspan", {class: role}, text));
    return makeSvg("text", {x: left, y: top + i * LINE + 13, "xml:space": "preserve"}, ...spans);
  });
  if (!group) return texts;
  const toggle = makeSvg("g", {class: "toggle", transform: `translate(${sideOf(box) + 5} ${(height - TOGGLE) / 2})`});
  toggle.append(makeSvg("rect", {width: TOGGLE, height: TOGGLE, rx: 4}), makeSvg("path", {d: folded.isOpen(box.id) ? "M6 11H16" : "M6 11H16M11 6V16"}));
  return [...texts, toggle];
}

/** The title of an open group, above the lines that enter it. */
function drawHead(element) {
  const id = element.dataset.id, {x, y} = layout.boxes.get(id), box = boxOf(id);
  return makeSvg("g", {class: "head", transform: `translate(${x} ${y})`, "data-id": id}, ...linesIn(box, linesOf(box).slice(0, 1), HEADER + 2));
}

/** What stands for a box that is far away: its name, which leads there. */
function drawStub({x, y, width, height, source}) {
  const element = makeSvg("g", {class: "stub", transform: `translate(${x} ${y})`, "data-far": source});
  element.append(makeSvg("rect", {width, height, rx: height / 2}), makeSvg("text", {x: width / 2, y: height / 2 + 4}, stubOf(source)));
  return element;
}

function drawLine({points, edges, last, label}, greatest) {
  const across = flow === "LR", [edge] = edges, end = points.at(-1);
  const size = Math.abs(edges.reduce((sum, {contribution}) => sum + (numeric(contribution) ?? 0), 0));
  const width = 1.2 + (greatest && Number.isFinite(size) ? 4 * Math.min(size / greatest, 1) : 0);
  const tip = 5 + width;
  const stop = last ? (across ? [end[0] - tip, end[1]] : [end[0], end[1] - tip]) : end;
  let path = `M${points[0].map(round)}`;
  [...points.slice(1, -1), stop].forEach(([x, y], i) => {  // each part leaves and arrives in the direction of the flow
    const [px, py] = i ? points[i] : points[0], middle = across ? (px + x) / 2 : (py + y) / 2;
    path += across ? `C${[middle, py, middle, y, x, y].map(round)}` : `C${[px, middle, x, middle, x, y].map(round)}`;
  });
  const element = makeSvg("g", {class: edge.constant !== null ? "edge constant" : "edge"});
  element.dataset.ends = JSON.stringify([...new Set(edges.flatMap(({source, target}) => [source, target]))]);
  element.append(makeSvg("path", {class: "line", d: path, "stroke-width": round(width)}));
  if (!last) return element;
  const [w, h] = across ? [tip, 2 + width] : [2 + width, tip];
  const corners = across ? `M${end.map(round)}l${-w} ${-h}v${2 * h}z` : `M${end.map(round)}l${-w} ${-h}h${2 * w}z`;
  element.append(makeSvg("path", {class: "tip", d: corners}));
  const above = factorOf(edge), below = givesOf(edge), gap = width / 2 + 3;
  if (!label) return element;
  const [up, down] = across ? [-gap, gap + 9] : above && below ? [-4, 11] : [4, 4];  // both sides of the line, or beside it
  if (above) element.append(makeSvg("text", {class: "factor", x: label[0], y: label[1] + up}, above));
  if (below) element.append(makeSvg("text", {class: "gives", x: label[0], y: label[1] + down}, below));
  return element;
}

const round = x => Math.round(x * 100) / 100;

function spoken(box) {
  const values = box.rows.map(row => row.text).join(", ");
  return `${titleOf(box)}, ${KINDS[box.kind] ?? box.kind}${values ? `: ${values}` : ""}${box.id === data.output ? ", the result" : ""}`;
}

/** Show which box is chosen and what is next to it; that box alone is reached by the Tab key. */
function mark() {
  const reached = chosen !== null && elements.has(chosen) ? chosen : folded.shown(data.output);
  for (const [id, element] of elements) {
    element.classList.toggle("chosen", id === chosen);
    element.setAttribute("tabindex", id === reached ? 0 : -1);
    element.setAttribute("aria-pressed", id === chosen);
  }
  for (const element of content.querySelectorAll(".edge")) element.classList.toggle("near", JSON.parse(element.dataset.ends).includes(chosen));
}
