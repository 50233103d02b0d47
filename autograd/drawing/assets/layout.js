// The boxes that are seen, the edges between them, and where all of them lie. A group is a box with others inside; of
// a closed group nothing is seen but its own box, and edges of what is inside lead to that.

const HEADER = 30, PADDING = 12;

class Folded {
  constructor(boxes, edges) {
    this.boxes = new Map(boxes.map(box => [box.id, box]));
    this.inside = new Map([[null, []]]);
    for (const {id} of boxes) {
      const parent = this.parent(id);
      if (!this.inside.has(parent)) this.inside.set(parent, []);
      this.inside.get(parent).push(id);
    }
    this.edges = edges;
    this.open = new Set(boxes.filter(box => this.isGroup(box.id) && !box.closed).map(box => box.id));
  }

  isGroup(id) { return this.inside.has(id); }
  isOpen(id) { return this.isGroup(id) && this.open.has(id); }
  parent(id) { const parent = this.boxes.get(id).parent; return this.boxes.has(parent) ? parent : null; }

  /** The groups around a box, the outermost first, and the box. */
  path(id) {
    const path = [];
    for (let at = id; at !== null; at = this.parent(at)) path.push(at);
    return path.reverse();
  }

  /** The box as which this one is seen: itself, or the outermost closed group around it. */
  shown(id) {
    const path = this.path(id);
    return path.find(at => !this.isOpen(at)) ?? id;
  }

  /** The ids of the boxes that are seen, open groups too, each after the group that it is in. */
  seen(group = null) {
    return this.inside.get(group).flatMap(id => [id, ...(this.isOpen(id) ? this.seen(id) : [])]);
  }

  /** The edges between what is seen. Those that begin or end in a closed group are one, with the sum of what they add. */
  lifted() {
    const found = new Map();
    this.edges.forEach((edge, i) => {
      const source = this.shown(edge.source), target = this.shown(edge.target);
      if (source === target) return;
      if (edge.constant !== null && target !== edge.target) return;  // seen beside the operation alone
      const exact = source === edge.source && target === edge.target;
      const key = exact ? `e${i}` : `${source} ${target}`;
      const before = found.get(key);
      if (!before) {
        const own = exact ? {} : {local: null, text: "", slot: null};
        found.set(key, {...edge, ...own, key, source, target});
        return;
      }
      before.count += edge.count;
      before.norm ||= edge.norm;
      before.contribution = added(before.contribution, edge.contribution);
    });
    return [...found.values()];
  }

  /** Open groups, the outermost first, as long as no more boxes than this are seen; return how many stay closed. */
  openUpTo(most) {
    let seen = this.seen().length, closed = 0;
    for (const queue = [...this.inside.get(null)]; queue.length;) {
      const id = queue.shift();
      if (!this.isGroup(id)) continue;
      const more = this.isOpen(id) ? 0 : this.inside.get(id).length;
      if (seen + more > most) {
        closed += 1;
        continue;
      }
      seen += more;
      this.open.add(id);
      queue.push(...this.inside.get(id));
    }
    return closed;
  }
}

const NUMBERS = {nan: NaN, inf: Infinity, "-inf": -Infinity};  // as strings, for JSON has none of them

/** The number that is meant, or null if this is none. */
function numeric(x) {
  return typeof x === "number" ? x : typeof x === "string" && Object.hasOwn(NUMBERS, x) ? NUMBERS[x] : null;
}

function added(x, y) {
  const [a, b] = [numeric(x), numeric(y)];
  return a === null ? y : b === null ? x : a + b;
}

const RANKS = 400, FAR = 6;  // lines may cross so many ranks, all together, before those across more than FAR are cut

/** Of the parts of edges in a level, those to be cut because they are many and long; one of each box stays. */
function farParts(parts) {
  const waits = new Map(), leaving = new Map(), ranks = new Map();
  for (const part of parts) {
    waits.set(part.to, (waits.get(part.to) ?? 0) + 1);
    if (!leaving.has(part.from)) leaving.set(part.from, []);
    leaving.get(part.from).push(part);
  }
  const ready = [...leaving.keys()].filter(id => !waits.has(id));
  for (const id of ready) {  // which grows meanwhile
    for (const {to} of leaving.get(id) ?? []) {
      ranks.set(to, Math.max(ranks.get(to) ?? 0, (ranks.get(id) ?? 0) + 1));
      waits.set(to, waits.get(to) - 1);
      if (!waits.get(to)) ready.push(to);
    }
  }
  const span = part => (ranks.get(part.to) ?? 0) - (ranks.get(part.from) ?? 0);
  let total = parts.reduce((sum, part) => sum + span(part), 0);
  const far = new Set();
  for (const part of parts.filter(part => part.last && span(part) > FAR).sort((a, b) => span(b) - span(a))) {
    if (total <= RANKS) break;
    if (leaving.get(part.from).every(other => other === part || far.has(other))) continue;
    far.add(part);
    total -= span(part);
  }
  return far;
}

/**
 * Where boxes and edges lie. `size(id)` is the [width, height] of a closed box, and of a group's title the width
 * with what stands before it; `labelSize(edge)` is the size of an edge's label, `stubSize(id)` that of
 * what stands for a far box, `flow` "LR" or "TB". Each open group is laid out by itself,
 * and is then a box of that size in the one around it; an edge that leaves it passes its border at a port, one for each
 * box that the edge comes from. An edge across much of a large drawing begins at a stub, which names the far box.
 */
function layOut(folded, size, labelSize, stubSize, flow) {
  const edges = folded.lifted(), across = flow === "LR";
  const segments = new Map();  // of each group, by key: a part of one edge, or of several from one box
  const add = (group, key, from, to, edge, last) => {
    if (!segments.has(group)) segments.set(group, new Map());
    const parts = segments.get(group);
    if (!parts.has(key)) parts.set(key, {from, to, last, edges: []});
    parts.get(key).edges.push(edge);
  };
  for (const edge of edges) {
    const from = folded.path(edge.source), to = folded.path(edge.target);
    let k = 0;
    while (from[k] === to[k]) k += 1;
    const last = j => j === to.length - 1;
    const key = j => last(j) ? `${edge.key}` : `${edge.source}>${to[j]}`;
    for (let j = from.length - 1; j > k; j -= 1) add(from[j - 1], `out ${edge.source}`, from[j], `out ${edge.source}`, edge, false);
    add(from[k - 1] ?? null, key(k), from[k], to[k], edge, last(k));
    for (let j = k + 1; j < to.length; j += 1) add(to[j - 1], key(j), `in ${edge.source}`, to[j], edge, last(j));
  }

  const level = group => {
    const graph = new dagre.graphlib.Graph({multigraph: true}), levels = new Map(), ids = new Map(), ports = [];
    graph.setGraph({rankdir: flow, nodesep: across ? 18 : 26, edgesep: 14, ranksep: across ? 48 : 36});
    const name = id => {  // dagre takes ids as keys of objects: ours may be hostile
      if (!ids.has(id)) ids.set(id, `n${ids.size}`);
      return ids.get(id);
    };
    const children = folded.inside.get(group);
    for (const id of children) {
      if (folded.isOpen(id)) levels.set(id, level(id));
      const [width, height] = levels.has(id) ? levels.get(id).size : size(id);
      graph.setNode(name(id), {width, height});
    }
    if (levels.size) graph.graph().rankalign = "bottom";  // small boxes beside a large group: near to what reads them
    const parts = [...(segments.get(group) ?? new Map()).values()], entered = new Set(), left = new Set(), stubs = [];
    for (const part of farParts(parts)) {
      part.from = `far ${stubs.length}`;
      stubs.push({id: part.from, source: part.edges[0].source});
      const [width, height] = stubSize(part.edges[0].source);
      graph.setNode(name(part.from), {width, height});
    }
    parts.forEach((part, i) => {
      for (const end of [part.from, part.to]) {
        if (!ids.has(end)) {
          graph.setNode(name(end), {width: 1, height: 1});
          ports.push(end);
        }
      }
      entered.add(part.to);
      left.add(part.from);
      const [width, height] = part.last && part.edges.length === 1 ? labelSize(part.edges[0]) : [0, 0];
      graph.setEdge(name(part.from), name(part.to), {width, height, labelpos: across ? "c" : "r", labeloffset: 4}, `${i}`);
    });
    // All that enters the group does so at one side of it, and what leaves it at the other.
    const entries = ports.filter(id => !entered.has(id)), exits = ports.filter(id => entered.has(id));
    const tie = (from, to, weight) => graph.setEdge(from, to, {weight, width: 0, height: 0}, "tie");
    if (entries.length) {
      graph.setNode("start", {width: 1, height: 1});
      for (const id of entries) tie("start", name(id), 8);
      for (const id of children) if (!entered.has(id)) tie("start", name(id), 0);
    }
    if (exits.length) {
      graph.setNode("end", {width: 1, height: 1});
      for (const id of exits) tie(name(id), "end", 8);
      for (const id of children) if (!left.has(id)) tie(name(id), "end", 0);
    }
    dagre.layout(graph);

    const area = {x0: Infinity, y0: Infinity, x1: -Infinity, y1: -Infinity};
    const cover = (x, y, width = 0, height = 0) => {
      area.x0 = Math.min(area.x0, x - width / 2); area.x1 = Math.max(area.x1, x + width / 2);
      area.y0 = Math.min(area.y0, y - height / 2); area.y1 = Math.max(area.y1, y + height / 2);
    };
    for (const id of ids.values()) { const {x, y, width, height} = graph.node(id); cover(x, y, width, height); }
    parts.forEach((part, i) => {
      const edge = graph.edge(name(part.from), name(part.to), `${i}`);
      part.points = edge.points.map(({x, y}) => [x, y]);
      part.label = edge.width ? [edge.x, edge.y] : null;
      if (part.label) {  // a line is straight along its label
        const at = part.points.findIndex(([x, y]) => across ? Math.abs(x - edge.x) < 1 : Math.abs(y - edge.y) < 1);
        const [x, y] = part.points[at], [w, h] = across ? [edge.width / 2, 0] : [0, edge.height / 2];
        part.points.splice(at, 1, [x - w, y - h], [x + w, y + h]);
        cover(...part.label, edge.width, edge.height);
      } else if (part.points.length === 3) part.points.splice(1, 1);  // from one rank to the next
      for (const [x, y] of part.points) cover(x, y);
    });
    const top = group === null ? PADDING : HEADER + 6;
    const least = group === null ? 0 : size(group)[2];
    const width = Math.max(area.x1 - area.x0 + 2 * PADDING, least), height = area.y1 - area.y0 + top + PADDING;
    return {graph, name, children, levels, parts, ports, stubs, entered, size: [width, height], shift: [PADDING - area.x0, top - area.y0]};
  };

  const placed = new Map(), lines = [], far = [], arrivals = new Map();
  const place = (at, x, y) => {  // from the coordinates of a level to those of the picture
    const shifted = ([px, py]) => [px + x + at.shift[0], py + y + at.shift[1]];
    const portsOf = new Map();
    for (const id of at.children) {
      const node = at.graph.node(at.name(id)), [cx, cy] = shifted([node.x, node.y]);
      const box = {x: cx - node.width / 2, y: cy - node.height / 2, width: node.width, height: node.height};
      placed.set(id, box);
      if (at.levels.has(id)) portsOf.set(id, place(at.levels.get(id), box.x, box.y));
    }
    const stubs = new Map();
    for (const {id, source} of at.stubs) {
      const {width, height, ...node} = at.graph.node(at.name(id)), [cx, cy] = shifted([node.x, node.y]);
      stubs.set(id, {x: cx - width / 2, y: cy - height / 2, width, height, source});
      far.push(stubs.get(id));
    }
    const border = {x: [x, x + at.size[0]], y: [y, y + at.size[1]]}, ports = new Map();
    for (const id of at.ports) {
      const node = at.graph.node(at.name(id)), [px, py] = shifted([node.x, node.y]), side = at.entered.has(id) ? 1 : 0;
      ports.set(id, across ? [border.x[side], py] : [px, border.y[side]]);
    }
    for (const part of at.parts) {
      const points = part.points.map(shifted), source = part.edges[0].source;
      const end = (id, side) => {  // where a line leaves (1) or enters (0) a box
        const port = ports.get(id) ?? portsOf.get(id)?.get(`${side ? "out" : "in"} ${source}`);
        const box = stubs.get(id) ?? placed.get(id);
        return port ?? (across ? [box.x + side * box.width, box.y + box.height / 2] : [box.x + box.width / 2, box.y + side * box.height]);
      };
      points[0] = end(part.from, 1);
      points[points.length - 1] = end(part.to, 0);
      const line = {points, edges: part.edges, last: part.last, label: part.label && shifted(part.label)};
      lines.push(line);
      if (part.last) arrivals.set(part.to, [...(arrivals.get(part.to) ?? []), line]);
    }
    return ports;
  };
  const whole = level(null);
  place(whole, 0, 0);
  const side = across ? 1 : 0;
  for (const [id, arriving] of arrivals) {  // side by side: by their slots, or else in the order in which they come
    const box = placed.get(id), room = across ? box.height : box.width, step = Math.min(14, (room - 10) / arriving.length);
    const slots = arriving.every(line => line.edges[0].slot !== null);  // x - y is not y - x
    arriving.sort((a, b) => slots ? a.edges[0].slot - b.edges[0].slot : a.points.at(-2)[side] - b.points.at(-2)[side]);
    arriving.forEach((line, i) => { line.points.at(-1)[side] += (i - (arriving.length - 1) / 2) * step; });
  }
  return {boxes: placed, lines, far, edges, width: whole.size[0], height: whole.size[1]};
}
