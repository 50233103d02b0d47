// The stepper: a graph, computed forwards and differentiated backwards, one step at a time.

const { boxes, edges, steps, lines } = data;
const find = id => document.getElementById(id);
const output = boxes.length - 1;
const firstBackward = steps.findIndex(step => step.phase === "seed");
const names = boxes.map(box => box.name);
const into = boxes.map(() => []), outOf = boxes.map(() => []);  // the edges to and from each box
edges.forEach((edge, i) => {
  into[edge.target].push(i);
  outOf[edge.source].push(i);
});

// ---- What is known at a step: a function of the step alone, so that every jump is right

/** The values computed, the gradients and the edges passed when steps up to `k` are done. */
function known(k) {
  const values = new Set(boxes.keys()), grads = new Map(), toCome = new Map(), passed = new Map();
  for (const step of steps) if (step.phase === "forward") values.delete(step.box);
  for (const step of steps.slice(0, k + 1)) {
    if (step.phase === "forward") values.add(step.box);
    if (step.phase === "seed") grads.set(output, step.after);
    if (step.phase === "backward") {
      grads.set(step.target, step.after);
      toCome.set(step.target, step.to_come);
      passed.set(step.edge, step);
    }
  }
  return { values, grads, toCome, passed };
}

const locals = new Map(steps.filter(step => step.phase === "backward").map(step => [step.edge, step.local]));
const finals = known(steps.length - 1).grads;
const largest = Math.max(...steps.map(step => step.size ?? 0), Number.MIN_VALUE);

// ---- The picture

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

// ---- The step

let at = 0;
let timer = null;
const asked = new Map();  // in the quiz: how each step was answered: "right", after some tries, or "shown"
let tries = 0;
const quizzing = () => find("quiz").getAttribute("aria-pressed") === "true";
const isOpen = k => quizzing() && steps[k].phase === "backward" && steps[k].exact !== null && !asked.has(k);

function term(value, caption, kind = "") {
  return make("div", { class: `term ${kind}` }, make("b", {}, value), make("small", {}, caption));
}

const sign = text => make("span", { class: "sign" }, text);
const keep = (...parts) => make("div", { class: "keep" }, ...parts);

/** A name that is an expression, in parentheses. */
const bracketed = name => (/^[\p{L}\p{N}_.%#[\]]+$/u.test(name) ? name : `(${name})`);

/** A step as title, formula, equation, note, and as a sentence to be read out. */
function content(k) {
  const step = steps[k], name = names[step.box], open = isOpen(k);
  if (step.phase === "start") {
    const inputs = boxes.filter(box => box.kind === "leaf");
    const given = inputs.slice(0, 12).map(box => `${box.name} = ${box.value}`).join(", ") + (inputs.length > 12 ? ", …" : "");
    return { phase: "Start", heading: "The inputs are given", formula: given, said: `Start. The inputs are given: ${given}.`,
      note: `Forwards, ${firstBackward - 1} operations compute ${names[output]}; then, backwards, each edge hands a gradient on.` };
  }
  if (step.phase === "forward") {
    const { value } = boxes[step.box];
    return { phase: "Forward", heading: `Compute ${name}`, formula: `${name} = ${step.formula}`,
      equation: [keep(term(step.numbers, step.formula), sign("=")), term(value, name, "after")],
      said: `Forward. ${name} = ${step.formula} = ${value}.` };
  }
  if (step.phase === "seed") {
    return { phase: "Backward", heading: `Begin at ${name}`, formula: `∂${bracketed(name)}/∂${bracketed(name)} = 1`, equation: [term(step.after, `gradient of ${name}`, "after")],
      note: `If ${name} grows by a little, ${name} grows by just as much. From here the chain rule goes back, edge by edge.`,
      said: `Backward. The gradient of ${name} with respect to itself is 1.` };
  }
  const target = names[step.target], local = `∂${bracketed(name)}/∂${bracketed(target)}`;
  const after = open ? "?" : step.after;
  const parts = [step.rule, step.rule_numbers, step.local].filter((text, i, all) => text && !all.slice(0, i).some(other => other.replaceAll("-", "−") === text.replaceAll("-", "−")));
  const product = step.local === null
    ? [keep(sign("+"), term(step.contribution, step.rule || `pullback of ${boxes[step.box].sign}`))]
    : [keep(sign(step.summed ? "+ Σ" : "+"), term(step.local, `local: ${local}`)), keep(sign("×"), term(step.upstream, `gradient of ${name}`))];
  const notes = [];
  if (step.summed) notes.push(`${target} was used once for each element of ${name}: what they hand on is summed.`);
  if (step.to_come) notes.push(`${target} has ${step.to_come} more contribution${step.to_come > 1 ? "s" : ""} to come: gradients add up.`);
  else if (!open) notes.push(`The gradient of ${target} is complete.`);
  return {
    phase: "Backward", heading: `From ${name} back to ${target}`,
    formula: step.local === null ? step.rule && `gradient of ${target} += ${step.rule}, where ḡ is the gradient of ${name}` : `${local} = ${parts.join(" = ")}`,
    equation: [term(step.before, `gradient of ${target} before`), ...product, keep(sign("="), term(after, `gradient of ${target} after`, "after"))],
    note: notes.join(" "),
    said: `Backward, from ${name} to ${target}. ` + (step.local === null ? `${step.before} plus ${step.contribution}`
      : `Before ${step.before}, plus local derivative ${step.local} times gradient ${step.upstream}`) + (open ? ". What is the gradient after?" : ` = ${step.after}.`),
  };
}

function show(k, speak = true) {
  at = Math.min(Math.max(k, 0), steps.length - 1);
  tries = 0;
  find("typed").value = "";
  verdict("");
  refresh(speak);
  if (isOpen(at)) {
    find("answer").scrollIntoView({ block: "nearest" });
    find("typed").focus({ preventScroll: true });
  }
}

/** Scroll to the boxes of this step. */
function inSight(smooth = true) {
  const places = [steps[at].box, steps[at].target].filter(i => i !== undefined);
  if (places.length) centre(places, smooth);
}

/** Give an element these classes, of `flags` those that are set, and no others but that of lighted paths. */
function dress(element, classes, flags) {
  const lit = element.classList.contains("lit") ? ["lit"] : [];
  element.setAttribute("class", [...classes, ...Object.keys(flags).filter(name => flags[name]), ...lit].join(" "));
}

function refresh(speak = true) {
  const step = steps[at], open = isOpen(at), { phase, heading, formula, equation = [], note = "", said } = content(at);
  find("phase").textContent = phase;
  find("heading").textContent = heading;
  find("formula").textContent = formula;
  find("equation").replaceChildren(...equation);
  find("note").textContent = note;
  find("answer").hidden = !open;
  if (open) find("asked").textContent = `The gradient of ${names[step.target]} after:`;
  const state = known(open ? at - 1 : at);
  boxes.forEach((box, i) => {
    if (box.kind === "constant") return;
    const group = boxesDrawn[i], isKnown = state.values.has(i), grad = state.grads.get(i);
    const isTarget = step.phase === "seed" ? i === output : step.target === i;
    dress(group, ["box", box.kind], { known: isKnown, now: step.box === i, target: isTarget });
    group.querySelector(".value").textContent = isKnown ? valueText(box) : "";
    const text = grad === undefined ? "" : gradText(grad, box, state.toCome.get(i));
    group.querySelector(".grad").textContent = text;
    group.setAttribute("aria-label", `${box.label}${isKnown ? valueText(box) : ", not computed yet"}${text ? `, ${text}` : ""}`);
  });
  edges.forEach((edge, i) => {
    const group = edgesDrawn[i], passed = state.passed.get(i), now = step.phase === "backward" && step.edge === i;
    dress(group, ["edge"], { now, passed, feeding: step.phase === "forward" && edge.target === step.box });
    const line = group.querySelector(".line");
    line.setAttribute("stroke-width", passed ? 1.4 + 4 * passed.size / largest : 1.4);
    group.querySelector(".label")?.setAttribute("visibility", passed || now ? "visible" : "hidden");
    group.querySelector(".flow")?.remove();
    if (now) line.after(makeSvg("path", { class: "flow", d: line.getAttribute("d") }));
  });
  lineShown(step.line);
  find("slider").value = at;
  find("slider").setAttribute("aria-valuetext", `Step ${at} of ${steps.length - 1}: ${phase}, ${heading}`);
  const answered = [...asked.values()], right = answered.filter(how => how === "right").length;
  find("count").textContent = `Step ${at} of ${steps.length - 1}` + (quizzing() ? ` · ${right} of ${answered.length} right` : "");
  find("first").disabled = find("back").disabled = at === 0;
  find("next").disabled = find("last").disabled = at === steps.length - 1 && !open;
  inSight();
  if (speak) find("live").textContent = said;
}

// ---- The quiz

function verdict(text, kind = "") {
  find("verdict").textContent = text;
  find("verdict").className = kind;
}

/** A number as people type it: 0.5, 0,5, 1/2, -3, −3, 1e-3, inf, nan. */
function parsed(text) {
  const plain = text.trim().replace(/[−–]/g, "-").replace(/^([-+]?)(inf|infinity|∞)$/i, "$1Infinity");
  if (/^nan$/i.test(plain)) return NaN;
  if (plain === "" || !/^[-+]?(Infinity|[\d.]+(e[-+]?\d+)?(\s*\/\s*[\d.]+)?)$/i.test(plain)) return undefined;
  const [top, bottom = "1"] = plain.split("/");
  const found = Number(top) / Number(bottom);
  return Number.isNaN(found) ? undefined : found;
}

/** The numbers typed, `count` of them, or undefined where it is something else. */
function answerOf(text, count) {
  const bare = text.replace(/[[\]()]/g, " ").trim();
  const words = count === 1 ? [bare.replace(",", ".")] : bare.split(/[\s,;]+/);
  const found = words.map(parsed);
  return words.length === count && found.every(x => x !== undefined) ? found : undefined;
}

/** Whether a number is right: to one part in a hundred, or as far as two decimals can tell. */
function isRight(typed, exact) {
  const wanted = typeof exact === "string" ? { nan: NaN, inf: Infinity, "-inf": -Infinity }[exact] : exact;
  if (!Number.isFinite(wanted)) return Object.is(typed, wanted);
  return Math.abs(typed - wanted) <= Math.max(0.01 * Math.abs(wanted), wanted && Math.abs(wanted) < 0.01 ? 0 : 0.005);
}

function settle(how, text) {
  asked.set(at, how);
  verdict(text, how === "shown" ? "" : "right");
  refresh(false);
  find("live").textContent = text;
  find("next").focus({ preventScroll: true });
}

find("answer").addEventListener("submit", event => {
  event.preventDefault();
  const { exact, after, local, upstream, contribution } = steps[at];
  const typed = answerOf(find("typed").value, exact.length);
  if (typed === undefined) {
    verdict(exact.length === 1 ? "Type a number, such as 0.5, −3 or 1/2." : `Type ${exact.length} numbers, with commas between them.`, "wrong");
  } else if (typed.every((x, i) => isRight(x, exact[i]))) {
    settle(tries ? "late" : "right", `Right: ${after}.`);
    return;
  } else {
    tries++;
    verdict(`Not ${find("typed").value.trim()}. ` + (local === null ? `Add ${contribution} to what was there before.` : `First ${local} × ${upstream}, then add what was there before.`), "wrong");
  }
  find("live").textContent = find("verdict").textContent;
  find("typed").select();
});

function reveal() {
  settle("shown", `It is ${steps[at].after}.`);
}

find("reveal").addEventListener("click", reveal);
find("quiz").addEventListener("click", () => {
  find("quiz").setAttribute("aria-pressed", String(!quizzing()));
  asked.clear();
  stop();
  show(quizzing() && at < firstBackward ? firstBackward : at);
});

// ---- Going through the steps

function next() {
  if (isOpen(at)) reveal();
  else if (at < steps.length - 1) show(at + 1);
  else stop();
}

function go(k) {
  stop();
  show(k);
}

function stop() {
  clearInterval(timer);
  timer = null;
  find("play").textContent = "Play";
  find("play").setAttribute("aria-pressed", "false");
}

function play() {
  if (timer !== null) return stop();
  if (at === steps.length - 1) show(0);
  find("play").textContent = "Pause";
  find("play").setAttribute("aria-pressed", "true");
  timer = setInterval(() => {
    if (isOpen(at)) return;  // it waits for the answer
    next();
    if (at === steps.length - 1) stop();
  }, 1500);
}

const ACTIONS = {
  ArrowRight: () => { stop(); next(); }, ArrowLeft: () => go(at - 1), Home: () => go(0), End: () => go(steps.length - 1), " ": play,
  "+": () => zoomBy(1.25), "-": () => zoomBy(0.8), q: () => find("quiz").click(), Q: () => find("quiz").click(),
};
document.addEventListener("keydown", event => {
  const { key, target } = event;
  if (event.ctrlKey || event.altKey || event.metaKey || !ACTIONS[key]) return;
  if (target === find("typed") || (target === find("slider") && key !== " " && key.toLowerCase() !== "q")) return;
  if (key === " " && target.tagName === "BUTTON") return;  // it presses the button
  event.preventDefault();
  ACTIONS[key]();
});
find("typed").addEventListener("keydown", event => event.key === "Escape" && find("next").focus());
find("zoom-in").addEventListener("click", () => zoomBy(1.25));
find("zoom-out").addEventListener("click", () => zoomBy(0.8));
find("first").addEventListener("click", () => go(0));
find("back").addEventListener("click", () => go(at - 1));
find("play").addEventListener("click", play);
find("next").addEventListener("click", () => { stop(); next(); });
find("last").addEventListener("click", () => go(steps.length - 1));
find("slider").addEventListener("input", () => {
  stop();
  at = Number(find("slider").value);
  tries = 0;
  verdict("");
  refresh();
});

// ---- The code

const rows = lines.map(line => make("li", {}, make("span", { class: "number" }, String(line.number)), make("span", {}, line.text || " ")));

function lineShown(place) {
  rows.forEach((row, i) => (i === place ? row.setAttribute("aria-current", "step") : row.removeAttribute("aria-current")));
}

function codeShown() {
  find("code").hidden = !lines.length;
  find("below").classList.toggle("coded", lines.length > 0);
  let list, before;
  lines.forEach((line, i) => {
    if (line.file !== before?.file) find("code").append(make("h3", {}, line.file), (list = make("ol")));
    else if (line.number !== before.number + 1) list.append(make("li", { class: "gap", "aria-hidden": "true" }, make("span", { class: "number" }, "⋮")));
    list.append(rows[i]);
    before = line;
  });
}

// ---- The start

find("title").textContent = document.title;
find("summary").textContent = `${order.length} nodes, ${firstBackward - 1} steps forwards, ${steps.length - firstBackward} backwards.`;
find("slider").max = steps.length - 1;
find("parts").append(make("span", { style: null }, "forward"), make("span", {}, "backward"));
[...find("parts").children].forEach((part, i) => { part.style.flex = i ? steps.length - firstBackward : firstBackward; });
find("hint").textContent = HINT;
codeShown();
fit();
addEventListener("resize", fit);
show(0, false);
