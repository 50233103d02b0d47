// The drawing as a page: drag, zoom, open and close groups, and click for what is known of a box.

const MOST = 300;  // more boxes at once are slow to lay out, and not to be read
const told = document.getElementById("told");
let view = {x: 0, y: 0, scale: 1};

// ---- The view

function apply() { content.setAttribute("transform", `translate(${round(view.x)} ${round(view.y)}) scale(${view.scale})`); }

const SMALLEST = 0.6;  // scale at which the drawing can be read
const FEWEST = 6, FEW = 40;  // boxes that say something, and that are seen at a glance

/** The scale at which all of it is seen. */
function wholeScale() {
  const {width, height} = root.getBoundingClientRect();
  return Math.min(width / layout.width, height / layout.height, 1.5);
}

/** The scale at which all is seen, in the direction that is asked for or the one in which it is greater, which is taken. */
function bestScale() {
  const directions = data.direction ? [data.direction] : innerWidth < innerHeight ? ["TB", "LR"] : ["LR", "TB"];
  const [first, second = 0] = directions.map(direction => {
    flow = direction;
    layout = layOut(folded, sizeOf, labelSize, stubSize, flow);
    return wholeScale();
  });
  flow = directions[second > 1.25 * first ? 1 : 0];
  return Math.max(first, second);
}

/** Draw with as many groups open as can be read at once, whole levels of them, unless the depth was asked for. */
function settle() {
  const depthOf = id => folded.path(id).length;
  let scale = bestScale();
  while (data.adapts && scale < SMALLEST && folded.open.size) {
    const depth = Math.max(...[...folded.open].map(depthOf));
    for (const id of folded.open) if (depthOf(id) === depth) folded.open.delete(id);
    scale = bestScale();
  }
  while (data.adapts) {
    const closed = folded.seen().filter(id => folded.isGroup(id) && !folded.isOpen(id)), depth = Math.min(...closed.map(depthOf));
    const opened = closed.filter(id => depthOf(id) === depth), fewest = folded.seen().length < FEWEST;
    for (const id of opened) folded.open.add(id);
    if (opened.length && folded.seen().length < FEW && (bestScale() >= SMALLEST || fewest)) continue;
    for (const id of opened) folded.open.delete(id);
    bestScale();
    break;
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
for (const name of ["open", "close"]) document.getElementById(name).hidden = !hasGroups;

// ---- The beginning, anew as long as nothing was touched: a frame of a notebook gets its size late

const first = new Set(folded.open);
let touched = false, fitted = "";

function begin() {
  fitted = `${root.clientWidth} ${root.clientHeight}`;
  folded.open = new Set(first);
  settle();
  fit(SMALLEST);
  describe();
}

for (const name of ["pointerdown", "click", "keydown", "wheel"]) {
  addEventListener(name, () => { touched = true; }, {capture: true, passive: true});
}
new ResizeObserver(() => {
  if (!touched && fitted !== `${root.clientWidth} ${root.clientHeight}`) begin();
}).observe(root);
document.getElementById("note").textContent = data.note;
begin();
