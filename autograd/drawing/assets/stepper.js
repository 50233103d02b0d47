// The stepper: a graph, computed forwards and differentiated backwards, one step at a time.

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
