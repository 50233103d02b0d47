// The picture of the stepper: where boxes and edges lie, what is drawn of them, and the paths through a box.

/** The local derivative of an edge, if there is room for it on the edge. */
function shortLocal(i) {
  const text = locals.get(i);
  return text && text.length <= 16 ? text : "";
}

const LINE = 19, PAD = 8;
const brush = document.createElement("canvas").getContext("2d");

function width(text, bold = false, italic = false) {
  brush.font = `${italic ? "italic " : ""}${bold ? "bold " : ""}14px Helvetica, Arial, sans-serif`;
  return Math.ceil(brush.measureText(text).width);
}

/** A text of an array without its shape, where that is beside it. */
function bare(text, box) {
  return box.shape && text.startsWith(`${box.shape}, `) ? text.slice(box.shape.length + 2) : text;
}

function valueText(box) {
  const text = bare(box.value, box);
  return box.kind === "constant" ? text : text === box.value ? ` = ${text}` : `: ${text}`;
}

function gradText(text, box, toCome) {
  return `grad ${bare(text, box)}${toCome ? " + …" : ""}`;
}

/** The sizes of a box: wide enough for all that it will show. */
function sized(box, i) {
  const seen = steps.filter(step => step.target === i || (step.phase === "seed" && i === output));
  const rows = [width(box.name ?? "", true) + width(valueText(box)), width(box.shape ?? "")];
  rows.push(...seen.map(step => width(gradText(step.after, box, step.to_come), false, true)));
  const cell = box.sign ? Math.max(width(box.sign, true) + 2 * PAD, 30) : 0;
  const count = box.kind === "constant" ? 1 : 2 + (box.shape ? 1 : 0);
  return { width: cell + Math.max(...rows) + 2 * PAD, height: count * LINE + 2 * (box.kind === "constant" ? 3 : 6), cell };
}

const drawn = boxes.map((box, i) => sized(box, i));

const key = i => `box${i}`;  // no number: those an object would sort

/** The boxes as one comes upon them from the output: the inputs of each in their order, and before it. */
function inReadingOrder() {
  const found = new Set(), stack = [output];
  while (stack.length) {
    const i = stack.at(-1), next = edges.find(edge => edge.target === i && !found.has(edge.source));
    if (next) stack.push(next.source);
    else found.add(stack.pop());
  }
  return found;
}

function laidOut(options) {
  const graph = new dagre.graphlib.Graph({ multigraph: true });
  graph.setGraph({ rankdir: "LR", nodesep: 16, ranksep: 36, edgesep: 10, marginx: 14, marginy: 14 });
  for (const i of inReadingOrder()) graph.setNode(key(i), { ...drawn[i] });
  edges.forEach((edge, i) => {
    const text = shortLocal(i);
    graph.setEdge(key(edge.source), key(edge.target), { width: text ? width(text) + 8 : 0, height: text ? 16 : 0, labelpos: "c" }, String(i));
  });
  dagre.layout(graph, options);
  return graph;
}

/** How often edges cross. */
function crossings(graph) {
  const pieces = graph.edges().flatMap(e => graph.edge(e).points.slice(1).map((q, i) => [graph.edge(e).points[i], q]));
  const side = ([a, b], p) => (b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x);
  let count = 0;
  for (let i = 0; i < pieces.length; i++) {
    for (let j = 0; j < i; j++) {
      const one = pieces[i], other = pieces[j];
      if (side(one, other[0]) * side(one, other[1]) < 0 && side(other, one[0]) * side(other, one[1]) < 0) count++;
    }
  }
  return count;
}

/** The layout, turned upside down if more inputs are in their order then. */
function upright(graph) {
  let ordered = 0;
  const y = i => graph.node(key(i)).y;
  for (const inputs of into) {
    for (let j = 1; j < inputs.length; j++) ordered += Math.sign(y(edges[inputs[j]].source) - y(edges[inputs[j - 1]].source));
  }
  if (ordered >= 0) return graph;
  const { height } = graph.graph();
  for (const node of graph.nodes()) graph.node(node).y = height - graph.node(node).y;
  for (const e of graph.edges()) {
    const edge = graph.edge(e);
    edge.points = edge.points.map(p => ({ x: p.x, y: height - p.y }));
    if (edge.y !== undefined) edge.y = height - edge.y;
  }
  return graph;
}

/** Where everything lies: in the order in which one reads the formula, unless that tangles the edges more than need be. */
function best() {
  const fewest = upright(laidOut({}));
  if (boxes.length > 60) return fewest;
  const asRead = laidOut({ disableOptimalOrderHeuristic: true });
  return crossings(asRead) <= crossings(fewest) ? asRead : fewest;
}

const layout = best();
const svg = find("graph");
const size = layout.graph();
svg.setAttribute("viewBox", `0 0 ${size.width} ${size.height}`);
const edgesDrawn = edges.map((edge, i) => {
  const constant = boxes[edge.source].kind === "constant";
  const { points, x, y } = layout.edge({ v: key(edge.source), w: key(edge.target), name: String(i) });
  const path = makeSvg("path", { class: `line${constant ? " constant" : ""}`, d: curve(points) });
  const tip = makeSvg("path", { class: "tip", d: arrow(points) });
  const group = makeSvg("g", { class: "edge" }, path, tip);
  const text = shortLocal(i);
  if (text) {
    const wide = width(text) + 6;
    group.append(makeSvg("g", { class: "label", visibility: "hidden" },
      makeSvg("rect", { class: "ground", x: x - wide / 2, y: y - 8, width: wide, height: 16, rx: 3 }),
      makeSvg("text", { class: "local", x, y: y + 4.5, "text-anchor": "middle" }, text)));
  }
  svg.append(group);
  return group;
});
const boxesDrawn = boxes.map((box, i) => {
  const { x, y } = layout.node(key(i)), { width: wide, height: high, cell } = drawn[i];
  const left = x - wide / 2, top = y - high / 2, text = left + cell + PAD;
  const group = makeSvg("g", { class: `box ${box.kind}` });
  if (box.kind === "constant") {
    group.append(makeSvg("text", { x, y: y + 5, "text-anchor": "middle" }, box.value));
  } else {
    for (const [name, value] of Object.entries({ tabindex: i === output ? "0" : "-1", role: "img", "data-box": i })) group.setAttribute(name, value);
    group.append(makeSvg("rect", { class: "outline", x: left, y: top, width: wide, height: high, rx: box.kind === "leaf" ? 9 : 2 }));
    if (cell) {
      group.append(makeSvg("rect", { class: "cell", x: left + 1.5, y: top + 1.5, width: cell - 2, height: high - 3 }));
      group.append(makeSvg("text", { class: "sign", x: left + cell / 2, y: y + 5, "text-anchor": "middle" }, box.sign));
    }
    const row = n => top + 6 + 14.5 + n * LINE;
    group.append(makeSvg("text", { x: text, y: row(0) }, makeSvg("tspan", { class: "name" }, box.name), makeSvg("tspan", { class: "value" }, "")));
    if (box.shape) group.append(makeSvg("text", { class: "shape", x: text, y: row(1) }, box.shape));
    group.append(makeSvg("text", { class: "grad", x: text, y: row(box.shape ? 2 : 1) }, ""));
  }
  svg.append(group);
  return group;
});

/** A smooth line through the points of the layout. */
function curve(points) {
  const [first, ...rest] = points.map(p => [p.x, p.y]);
  const end = rest.pop();
  let d = `M${first}`;
  rest.forEach((p, i) => {
    const next = rest[i + 1] ?? end;
    d += i === rest.length - 1 ? `Q${p} ${end}` : `Q${p} ${[(p[0] + next[0]) / 2, (p[1] + next[1]) / 2]}`;
  });
  return rest.length ? d : `${d}L${end}`;
}

function arrow(points) {
  const [a, b] = points.slice(-2), length = Math.hypot(b.x - a.x, b.y - a.y) || 1;
  const [dx, dy] = [(b.x - a.x) / length, (b.y - a.y) / length];
  return `M${b.x} ${b.y}L${b.x - 8 * dx - 4 * dy} ${b.y - 8 * dy + 4 * dx}L${b.x - 8 * dx + 4 * dy} ${b.y - 8 * dy - 4 * dx}Z`;
}

let zoom = 1;

/** The scale at which the graph fits, but not smaller than can be read: then its frame scrolls. */
function fit() {
  const room = find("pan").clientWidth - 2;
  const scale = zoom * Math.min(1.25, Math.max(room / size.width, 0.85));
  svg.setAttribute("width", Math.floor(size.width * scale));
  svg.setAttribute("height", Math.floor(size.height * scale));
  svg.dataset.scale = scale;
}

function zoomBy(factor) {
  zoom = Math.min(Math.max(zoom * factor, 0.2), 3);
  fit();
  inSight(false);
}

// ---- Paths: what a node was computed from, and what was computed from it

const paths = boxes.map(() => 0n);  // to the output: there may be very many
paths[output] = 1n;
for (let i = output; i >= 0; i--) for (const e of into[i]) if (locals.has(e)) paths[edges[e].source] += paths[i];

function light(i) {
  svg.classList.toggle("lit", i !== null);
  for (const element of [...boxesDrawn, ...edgesDrawn]) element.classList.remove("lit");
  find("hint").textContent = i === null ? HINT : told(i);
  if (i === null) return;
  const walk = (start, sides, end) => {
    const seen = new Set([start]);
    for (const box of seen) {
      boxesDrawn[box].classList.add("lit");
      for (const e of sides[box]) {
        edgesDrawn[e].classList.add("lit");
        seen.add(edges[e][end]);
      }
    }
  };
  walk(i, into, "source");
  walk(i, outOf, "target");
}

/** How the gradient of a box comes about, in a line. */
function told(i) {
  const name = boxes[i].label;
  if (i === output) return `${name}: the output, where all paths end.`;
  if (!paths[i]) return `${name}: no gradient reaches it.`;
  if (paths[i] > 1n) {
    const count = paths[i] > 10n ** 15n ? "very many" : Number(paths[i]).toLocaleString("en");
    return `${count} paths from ${name} to ${names[output]}` + (quizzing() ? "." : `: the products of their local derivatives add up to ${finals.get(i)}.`);
  }
  const factors = [];
  for (let box = i; box !== output;) {
    const e = outOf[box].find(edge => locals.has(edge) && paths[edges[edge].target]);
    factors.unshift(locals.get(e));
    box = edges[e].target;
  }
  const only = `One path from ${name} to ${names[output]}`;
  return quizzing() || factors.some(factor => factor === null || factor.length > 12) ? `${only}.` : `${only}: ${factors.join(" × ")} = ${finals.get(i)}.`;
}

const HINT = matchMedia("(hover: hover)").matches ? "Point at a box to see its paths." : "Tap a box to see its paths.";
boxesDrawn.forEach((group, i) => {
  if (boxes[i].kind === "constant") return;
  group.addEventListener("pointerenter", event => event.pointerType === "mouse" && light(i));
  group.addEventListener("pointerleave", event => event.pointerType === "mouse" && light(focused()));
  group.addEventListener("focus", () => light(i));
  group.addEventListener("blur", () => light(null));
  group.addEventListener("click", () => move(i));
});

const focused = () => (document.activeElement?.dataset?.box ? Number(document.activeElement.dataset.box) : null);
const order = boxes.map((_, i) => i).filter(i => boxes[i].kind !== "constant");

/** Give a box the focus: of all boxes one is a stop of the tab key, from which arrow keys lead to the others. */
function move(i) {
  for (const k of order) boxesDrawn[k].setAttribute("tabindex", k === i ? "0" : "-1");
  boxesDrawn[i].focus({ preventScroll: true });
  centre([i]);
}

svg.addEventListener("keydown", event => {
  const way = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (event.key === "Escape") document.activeElement.blur();
  if (!way || focused() === null) return;
  event.preventDefault();
  event.stopPropagation();
  move(order[(order.indexOf(focused()) + way + order.length) % order.length]);
});

/** Scroll the frame, and nothing else, so that these boxes are in the middle of it. */
function centre(places, smooth = true) {
  const scale = Number(svg.dataset.scale), pan = find("pan");
  const mean = side => places.reduce((sum, i) => sum + layout.node(key(i))[side], 0) / places.length;
  pan.scrollTo({ left: mean("x") * scale - pan.clientWidth / 2, top: mean("y") * scale - pan.clientHeight / 2, behavior: smooth && !calm.matches ? "smooth" : "instant" });
}
