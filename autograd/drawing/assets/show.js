// The drawing as a page: drag, zoom, open and close groups, and click for what is known of a box.

const MOST = 300;  // more boxes at once are slow to lay out, and not to be read
const root = document.getElementById("drawing"), panel = document.getElementById("panel");
const told = document.getElementById("told");

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
const boxOf = id => folded.boxes.get(id);

// ---- Texts

const KINDS = {
  leaf: "input", operation: "operation", sum: "folded sum", repeat: "repeated", module: "module", function: "function",
  hidden: "left out", failed: "failed operation", constant: "constant",
};
const ROLES = ["value", "shape", "extent", "histogram", "grad", "note"], SIGNED = ["value", "extent", "grad"];

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
  if (box.count > 1) return `${box.count.toLocaleString("en")} × ${box.title || KINDS[box.kind]}`;
  return box.title || (box.rows[0]?.text ?? "");
}

/** The lines in a closed box: [text, class] parts of each. */
function linesOf(box) {
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
let view = {x: 0, y: 0, scale: 1}, chosen = null;
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
  if (box.count > 1 && !open) {  // a pile
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

// ---- The view

function apply() { content.setAttribute("transform", `translate(${round(view.x)} ${round(view.y)}) scale(${view.scale})`); }

const SMALLEST = 0.6;  // scale at which the drawing can be read

/** The scale at which all of it is seen. */
function wholeScale() {
  const {width, height} = root.getBoundingClientRect();
  return Math.min(width / layout.width, height / layout.height, 1.5);
}

/** Lay out in the direction that is asked for, or the one in which more can be read; close groups until it can be read. */
function settle() {
  const directions = data.direction ? [data.direction] : innerWidth < innerHeight ? ["TB", "LR"] : ["LR", "TB"];
  for (;;) {
    const scales = directions.map(direction => {
      flow = direction;
      layout = layOut(folded, sizeOf, labelSize, stubSize, flow);
      return wholeScale();
    });
    const [first, second = 0] = scales, best = Math.max(first, second);
    flow = directions[second > 1.25 * first ? 1 : 0];
    if (best >= SMALLEST || !data.adapts || !folded.open.size) break;
    const depth = Math.max(...[...folded.open].map(id => folded.path(id).length));  // of the innermost groups
    for (const id of folded.open) if (folded.path(id).length === depth) folded.open.delete(id);
  }
  layout = null;
  draw();
}

/** Show all of the drawing; with `least`, no smaller than that, and then the part of it that has the result. */
function fit(least = 0) {
  const {width, height} = root.getBoundingClientRect(), whole = wholeScale(), across = flow === "LR";
  const beside = across ? height / layout.height : width / layout.width;
  view.scale = whole < least ? Math.min(Math.max(beside, least), 1) : whole;
  const size = [layout.width * view.scale, layout.height * view.scale];
  view.x = (width - size[0]) / 2;
  view.y = (height - size[1]) / 2;
  apply();
  if (whole >= least) return;
  bringIn(folded.shown(data.output), true);
  if (size[0] > width) view.x = Math.min(Math.max(view.x, width - size[0]), 0);
  if (size[1] > height) view.y = Math.min(Math.max(view.y, height - size[1]), 0);
  apply();
}

function zoom(factor, x, y) {
  const {width, height} = root.getBoundingClientRect();
  const scale = Math.min(Math.max(view.scale * factor, 0.05), 6), by = scale / view.scale;
  const [cx, cy] = x === undefined ? [width / 2, height / 2] : [x, y];
  view = {x: cx - (cx - view.x) * by, y: cy - (cy - view.y) * by, scale};
  apply();
}

/** Move the view as little as needed for a box to be seen, or so that it is in the middle. */
function bringIn(id, middle = false) {
  const place = layout.boxes.get(id), {width, height} = root.getBoundingClientRect();
  if (!place) return;
  const x = place.x * view.scale + view.x, y = place.y * view.scale + view.y, w = place.width * view.scale, h = place.height * view.scale;
  const inside = (at, size, room) => {
    if (middle || size > room - 24) return (room - size) / 2 - at;
    return Math.max(12 - at, 0) + Math.min(room - 12 - at - size, 0);
  };
  view.x += inside(x, w, width);
  view.y += inside(y, h, height);
  apply();
}

/** Open or close a group; it stays where it is on the screen. */
function toggle(id) {
  if (!folded.isGroup(id)) return;
  const before = layout.boxes.get(id), open = !folded.isOpen(id);
  if (open && folded.seen().length + folded.inside.get(id).length > MOST) return tell(`More than ${MOST} boxes cannot be shown at once: close others first`);
  if (open) folded.open.add(id); else folded.open.delete(id);
  if (chosen !== null) chosen = folded.shown(chosen);
  draw();
  const now = layout.boxes.get(id);
  if (before && now) {
    view.x += (before.x - now.x) * view.scale;
    view.y += (before.y - now.y) * view.scale;
    apply();
    bringIn(id);
  }
  tell(`${titleOf(boxOf(id))} is ${open ? "open" : "closed"}: ${layout.boxes.size} boxes are shown`);
  describe();
}

function tell(text) {
  told.textContent = text;
  document.getElementById("count").textContent = text;
}

function choose(id, focus = false) {
  chosen = id;
  mark();
  describe();
  if (id !== null && focus) {
    elements.get(id).focus({preventScroll: true});
    bringIn(id);
  }
}

// ---- What is known of the chosen box

function describe() {
  if (chosen === null) return panel.replaceChildren(...legend());
  const box = boxOf(chosen), group = folded.isGroup(chosen), parts = [];
  parts.push(make("h2", {}, titleOf(box)));
  parts.push(make("p", {class: "quiet"}, [KINDS[box.kind] ?? box.kind, box.count > 1 && box.name && `${box.count.toLocaleString("en")} of one kind`, chosen === data.output && "the result"].filter(Boolean).join(", ")));
  const facts = [];
  const fact = (name, value, code = false) => {
    if (value !== null && value !== undefined && value !== "") facts.push(make("dt", {}, name), make("dd", {"data-fact": name}, code ? make("code", {}, value) : value));
  };
  const withoutWord = text => text.replace(/^grad /, "");
  const rows = role => box.rows.filter(row => row.role === role).map(row => row.text).join("\n");
  fact("Value", box.value === null ? rows("value") || rows("extent") : full(box.value));
  if (rows("histogram")) fact("Distribution", rows("histogram"));
  if (box.kind !== "constant" && !group) fact("Gradient", box.grad !== null ? full(box.grad) : withoutWord(rows("grad")) || "none yet: backward() was not called");
  else if (group) fact("Gradient", withoutWord(rows("grad")));
  fact("Shape", box.shape === null ? "" : `(${box.shape.join(", ")}${box.shape.length === 1 ? "," : ""})`);
  fact("Type", box.dtype);
  fact("Formula", box.formula, true);
  fact("Line", box.line, true);
  fact("Note", rows("note"));
  if (group) fact("Inside", `${folded.inside.get(chosen).length} boxes`);
  parts.push(make("dl", {}, ...facts));
  const parent = folded.parent(chosen);
  if (group) parts.push(button(folded.isOpen(chosen) ? "Close" : "Open", () => { toggle(chosen); panel.querySelector("[data-toggle]")?.focus(); }, {"data-toggle": true}), " ");
  if (parent !== null) parts.push(button(`Close ${titleOf(boxOf(parent))}`, () => { toggle(parent); choose(parent, true); }));
  const own = new Set(folded.innermost(chosen)), touching = layout.edges;
  const within = id => folded.path(id).includes(chosen);
  parts.push(...table("Inputs", touching.filter(edge => within(edge.target) && !within(edge.source)), edge => edge.source));
  const uses = touching.filter(edge => within(edge.source) && !within(edge.target));
  parts.push(...table("Used by", uses, edge => edge.target));
  const numbers = uses.map(edge => edge.norm ? null : numeric(edge.contribution));
  if (uses.length > 1 && own.size === 1 && box.count === 1 && numbers.every(x => x !== null)) {
    parts.push(make("p", {class: "number"}, `${numbers.map(short).join(" + ")} = ${short(numbers.reduce((a, b) => a + b))}`));
  }
  panel.replaceChildren(...parts);
  panel.scrollTop = 0;
}

function button(text, action, attributes = {}) {
  const made = make("button", {type: "button", ...attributes}, text);
  made.addEventListener("click", action);
  return made;
}

/** The edges to or from the boxes at their `end`, one row for each, with a sum if there are several from a group. */
function table(title, edges, end) {
  if (!edges.length) return [];
  const merged = new Map();
  edges.forEach((edge, i) => {
    const key = folded.isGroup(chosen) ? end(edge) : i, before = merged.get(key);
    merged.set(key, before ? {...before, local: null, text: "", contribution: added(before.contribution, edge.contribution)} : edge);
  });
  const number = (name, value, text) => make("td", {class: "number", "data-number": name, title: value === null ? null : full(value)}, text);
  const rows = [...merged.values()].map(edge => {
    const box = boxOf(end(edge)), name = titleOf(box);
    return make("tr", {},
      make("td", {}, box.kind === "constant" ? name : button(name, () => choose(box.id, true))),
      number("local", edge.local, edge.local !== null ? minus(edge.text.trim()) : edge.text.trim()),
      number("contribution", edge.contribution, edge.norm ? givesOf(edge) : edge.contribution === null ? "" : short(edge.contribution)));
  });
  const head = ["", "× local", "= contribution"].map(text => make("th", {scope: "col"}, text));
  return [make("h3", {}, title), make("table", {"data-table": title}, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...rows))];
}

function legend() {
  const paragraph = (...texts) => make("p", {}, ...texts), number = text => make("em", {class: "number"}, text);
  return [
    make("h2", {}, "How to read it"),
    paragraph("Inputs are blue; a result has the operation's sign at its left. On an edge, ", number("× local derivative"), ", and below it ", number("= contribution"), ": what the edge gives to the gradient of the box that it comes from. ", number("‖…‖"), " is the norm of an array. A wider edge gives more; what folded boxes give is added up."),
    ...(data.note ? [make("p", {}, data.note)] : []),
    paragraph("Choose a box for its numbers, its formula and the line of code. Violet boxes open and close by their + and −."),
    make("p", {class: "quiet keys"}, "Keys: arrows go from box to box, Enter opens and closes, + and − zoom, 0 fits, Escape comes back here."),
  ];
}

// ---- Pointers

const pointers = new Map();
let moved = 0;

root.addEventListener("pointerdown", event => {
  if (event.button !== 0) return;
  pointers.set(event.pointerId, [event.clientX, event.clientY]);
  moved = pointers.size > 1 ? Infinity : 0;
});
addEventListener("pointermove", event => {
  const old = pointers.get(event.pointerId);
  if (!old) return;
  const now = [event.clientX, event.clientY], others = [...pointers].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
  moved += Math.hypot(now[0] - old[0], now[1] - old[1]);
  if (others.length) {  // two fingers: their distance is the zoom
    const [x, y] = others[0], frame = root.getBoundingClientRect();
    const by = Math.hypot(now[0] - x, now[1] - y) / Math.max(Math.hypot(old[0] - x, old[1] - y), 1);
    zoom(by, (now[0] + x) / 2 - frame.x, (now[1] + y) / 2 - frame.y);
  } else if (moved > 4) {
    root.classList.add("dragged");
    view.x += now[0] - old[0];
    view.y += now[1] - old[1];
    apply();
  }
  pointers.set(event.pointerId, now);
});
for (const name of ["pointerup", "pointercancel"]) {
  addEventListener(name, event => {
    if (pointers.delete(event.pointerId) && !pointers.size) root.classList.remove("dragged");
  });
}
root.addEventListener("click", event => {
  if (moved > 4) return;
  const id = event.target.closest(".box, .head")?.dataset.id ?? event.target.closest(".stub")?.dataset.far ?? null;
  if (id !== null && event.target.closest(".toggle")) {
    toggle(id);
    choose(id);
  } else choose(id, id !== null);
});
root.addEventListener("dblclick", event => {
  const id = event.target.closest(".box, .head")?.dataset.id;
  if (id !== undefined && !event.target.closest(".toggle")) toggle(id);
});
root.addEventListener("wheel", event => {
  if (parent !== window && !event.ctrlKey && !event.metaKey) return;  // within another page, the wheel scrolls that
  event.preventDefault();
  const frame = root.getBoundingClientRect(), unit = event.deltaMode ? 20 : 1;
  zoom(Math.exp(-event.deltaY * unit * (event.ctrlKey ? 0.01 : 0.0015)), event.clientX - frame.x, event.clientY - frame.y);
}, {passive: false});

// ---- Keys

/** The nearest box in a direction: of those that an edge leads to, or else of all. */
function next(id, dx, dy) {
  const centre = ({x, y, width, height}) => [x + width / 2, y + height / 2], [cx, cy] = centre(layout.boxes.get(id));
  const joined = new Set(layout.edges.flatMap(({source, target}) => source === id ? [target] : target === id ? [source] : []));
  let best = null, least = Infinity;
  for (const [other, place] of layout.boxes) {
    if (other === id) continue;
    const [x, y] = centre(place), ahead = (x - cx) * dx + (y - cy) * dy, beside = Math.abs((x - cx) * dy + (y - cy) * dx);
    if (ahead < 4) continue;
    const far = ahead + 2.5 * beside + (joined.has(other) ? 0 : 1000) + (folded.isOpen(other) ? 500 : 0);
    if (far < least) [best, least] = [other, far];
  }
  return best;
}

const ARROWS = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};

root.addEventListener("keydown", event => {
  const id = event.target.closest(".box")?.dataset.id;
  if (event.ctrlKey || event.metaKey || event.altKey || id === undefined) return;
  if (Object.hasOwn(ARROWS, event.key)) {
    const found = next(id, ...ARROWS[event.key]);
    if (found !== null) choose(found, true);
  } else if (event.key === "Enter" || event.key === " ") {
    if (chosen === id || event.key === "Enter") toggle(id);
    choose(id, true);
  } else if (event.key === "Escape") choose(null);
  else return;
  event.preventDefault();
});
addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "+" || event.key === "=") zoom(1.25);
  else if (event.key === "-") zoom(0.8);
  else if (event.key === "0") fit();
});

// ---- Buttons

const has = data.boxes.some(box => folded.isGroup(box.id));
const actions = {
  "zoom-out": () => zoom(0.8), "zoom-in": () => zoom(1.25), fit: () => fit(),
  open: () => {
    const closed = folded.openUpTo(MOST);
    draw();
    fit(SMALLEST);
    describe();
    tell(closed ? `${closed} groups stay closed: more than ${MOST} boxes cannot be shown at once` : `All is open: ${layout.boxes.size} boxes are shown`);
  },
  close: () => {
    folded.open.clear();
    if (chosen !== null) chosen = folded.shown(chosen);
    draw();
    fit(SMALLEST);
    describe();
    tell(`All is closed: ${layout.boxes.size} boxes are shown`);
  },
  turn: () => {
    flow = flow === "LR" ? "TB" : "LR";
    draw();
    fit(SMALLEST);
  },
};
for (const [name, action] of Object.entries(actions)) document.getElementById(name).addEventListener("click", action);
for (const name of ["open", "close"]) document.getElementById(name).hidden = !has;
addEventListener("resize", () => fit(SMALLEST));

document.getElementById("note").textContent = data.note;
settle();
fit(SMALLEST);
describe();
