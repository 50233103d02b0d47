// Drawing: colours and places for the numbers of a training. None of it goes back into one.

const byId = id => document.getElementById(id);
const dark = matchMedia("(prefers-color-scheme: dark)");
const STRENGTHS = 128;
const MOST_SAMPLES = 400;
const inWords = x => x.toFixed(2).replace("-", "−");

/** The colours of values from -1 to 1, as bytes. */
function palette() {
  const [low, middle, high] = dark.matches ? [[150, 72, 24], [24, 26, 31], [26, 92, 138]] : [[247, 186, 146], [255, 255, 255], [150, 202, 236]];
  const bytes = new Uint8ClampedArray((2 * STRENGTHS + 1) * 4);
  for (let i = -STRENGTHS; i <= STRENGTHS; i++) {
    const end = i < 0 ? low : high, share = Math.abs(i) / STRENGTHS;
    bytes.set([0, 1, 2].map(k => middle[k] + (end[k] - middle[k]) * share).concat(255), (i + STRENGTHS) * 4);
  }
  return new Uint32Array(bytes.buffer);
}

/** Values on the grid as a picture of so many pixels; where the sign changes, a line, if there is an ink for it. */
class Heat {
  constructor(size) {
    this.size = size;
    this.canvas = make("canvas", { width: size, height: size });
    this.context = this.canvas.getContext("2d");
    this.image = this.context.createImageData(size, size);
    this.pixels = new Uint32Array(this.image.data.buffer);
  }

  /** Draw values that are `middle` where they say neither; `scale` is the distance of full colour. */
  draw(values, middle, scale, colours, ink) {
    const { size, pixels } = this, strength = STRENGTHS / scale;
    for (let row = 0, k = 0; row < size; row++) {
      const target = (size - 1 - row) * size;
      for (let i = 0; i < size; i++, k++) {
        const value = values[k] - middle, level = Math.max(-STRENGTHS, Math.min(STRENGTHS, Math.round(value * strength)));
        const crossed = (i + 1 < size && (value > 0) !== (values[k + 1] > middle)) || (row + 1 < size && (value > 0) !== (values[k + size] > middle));
        pixels[target + i] = crossed && ink ? ink : colours[(level || 0) + STRENGTHS];
      }
    }
    this.context.putImageData(this.image, 0, 0);
  }
}

class Picture {
  constructor(training, choose) {
    this.training = training;
    this.choose = choose;
    this.size = data.sets[training.choice.data].axes[0].length;
    this.large = new Heat(this.size);
    this.selected = null;
    this.times = [];
    this.theme();
  }

  theme() {
    this.colours = palette();
    const bytes = new Uint8ClampedArray(dark.matches ? [236, 238, 241, 255] : [26, 26, 26, 255]);
    this.ink = new Uint32Array(bytes.buffer)[0];
    const style = getComputedStyle(document.documentElement);
    this.colour = name => style.getPropertyValue(`--${name}`).trim();
  }

  /** The network as tiles, with a line for each weight. */
  layOut() {
    const { network } = this.training;
    this.selected = null;
    this.tiles = new Map();
    const wires = makeSvg("svg", { "aria-hidden": true });
    const tile = (unit, name) => {
      const heat = new Heat(this.size);
      const button = make("button", { type: "button", class: "unit", "aria-pressed": "false", "aria-label": name, title: name }, heat.canvas);
      button.addEventListener("click", () => this.choose(unit));
      this.tiles.set(unit, { heat, button, name });
      return button;
    };
    const names = ["x, to the right", "y, upwards"];
    const columns = [make("div", { class: "layer" }, ...network.features.map((unit, i) => tile(unit, names[i])))];
    network.layers.forEach((layer, l) => {
      const last = l === network.layers.length - 1;
      columns.push(make("div", { class: "layer" }, ...layer.map((unit, i) => tile(unit, last ? "the output" : `layer ${l + 1}, neuron ${i + 1}`))));
    });
    byId("layers").replaceChildren(wires, ...columns);
    this.wires = [];
    for (const neuron of network.neurons) {
      neuron.sources.forEach((source, i) => {
        const line = makeSvg("line"), text = makeSvg("text", { hidden: true });
        this.wires.push({ neuron, source, weight: neuron.weights[i].value, line, text, positive: null, width: "" });
        wires.append(line);
      });
    }
    wires.append(...this.wires.map(wire => wire.text));
    this.place();
    for (const feature of network.features) this.tileOf(feature);
    this.points();
    this.history = { steps: [], training: [], test: [], trainingAccuracy: [], testAccuracy: [] };
    this.every = 1;
  }

  /** All that depends on the size of the window: the canvases, and the ends of the lines. */
  place() {
    this.fit();
    const origin = byId("layers").getBoundingClientRect();
    const boxes = new Map([...this.tiles].map(([unit, { button }]) => [unit, button.getBoundingClientRect()]));
    for (const { neuron, source, line, text } of this.wires) {
      const from = boxes.get(source), to = boxes.get(neuron);
      const x1 = from.right - origin.left, y1 = from.top + from.height / 2 - origin.top;
      const x2 = to.left - origin.left, y2 = to.top + to.height / 2 - origin.top;
      filled(line, { x1, y1, x2, y2 }, []);
      filled(text, { x: x1 + (x2 - x1) * 0.3, y: y1 + (y2 - y1) * 0.3 + 4 }, []);
    }
  }

  tileOf(unit) {
    const values = this.training.grid.valuesOf(unit);
    const { middle, scale } = this.range(unit);
    this.tiles.get(unit).heat.draw(values, middle, scale, this.colours, this.ink);
  }

  range(unit) {
    if (unit.feature !== undefined) return { middle: 0, scale: 1.5 };
    if (unit === this.training.network.output) return { middle: 0, scale: 4 };
    return this.training.choice.activation === "sigmoid" ? { middle: 0.5, scale: 0.5 } : { middle: 0, scale: 1 };
  }

  /** All that changes from step to step. */
  draw() {
    const { training } = this, { network } = training;
    for (const neuron of network.neurons) this.tileOf(neuron);
    for (const wire of this.wires) {
      const size = wire.weight[0], width = Math.min(7, 0.3 + 2 * Math.abs(size || 0)).toFixed(1); // nan has none
      if (wire.positive !== size > 0) wire.line.setAttribute("class", (wire.positive = size > 0) ? "one" : "zero");
      if (wire.width !== width) wire.line.setAttribute("stroke-width", (wire.width = width));
      if (wire.neuron === this.selected) wire.text.textContent = inWords(size);
    }
    this.map();
    this.numbers();
    this.curves();
  }

  map() {
    const unit = this.selected ?? this.training.network.output, canvas = byId("map");
    const { middle, scale } = this.range(unit);
    const values = this.training.grid.valuesOf(unit), context = canvas.getContext("2d"), last = this.size - 1;
    this.large.draw(values, middle, scale, this.colours, null);
    context.drawImage(this.large.canvas, 0.5, 0.5, last, last, 0, 0, canvas.width, canvas.height); // from centre to centre
    context.strokeStyle = this.colour("ink");
    context.lineWidth = 2.5 * devicePixelRatio;
    context.lineCap = "round";
    context.beginPath();
    for (let row = 0; row < last; row++) for (let i = 0; i < last; i++) this.cross(context, values, row, i, middle);
    context.stroke();
  }

  /** The boundary within a cell of the grid: lines between the places where its sides are crossed. */
  cross(context, values, row, i, middle) {
    const { width, height } = context.canvas, last = this.size - 1, k = row * this.size + i;
    const corners = [[i, row, values[k]], [i + 1, row, values[k + 1]], [i + 1, row + 1, values[k + this.size + 1]], [i, row + 1, values[k + this.size]]];
    let open = false;
    for (let side = 0; side < 4; side++) {
      const [x1, y1, a] = corners[side], [x2, y2, b] = corners[(side + 1) % 4];
      if ((a > middle) === (b > middle)) continue;
      const share = (middle - a) / (b - a), x = (x1 + (x2 - x1) * share) / last * width, y = (1 - (y1 + (y2 - y1) * share) / last) * height;
      if (open) context.lineTo(x, y);
      else context.moveTo(x, y);
      open = !open;
    }
  }

  /** Canvases with as many pixels as the screen has there: measured here alone, for that takes a layout of the page. */
  fit() {
    for (const canvas of document.querySelectorAll("#plane canvas, .chart canvas")) {
      canvas.width = Math.round(canvas.clientWidth * devicePixelRatio);
      canvas.height = Math.round(canvas.clientHeight * devicePixelRatio);
    }
  }

  /** The points: circles and triangles, hollow for the test. */
  points() {
    const canvas = byId("marks"), context = canvas.getContext("2d"), { axes } = data.sets[this.training.choice.data];
    const at = (value, axis) => (value - axes[axis][0]) / (axes[axis].at(-1) - axes[axis][0]);
    const r = 4.2 * devicePixelRatio;
    context.clearRect(0, 0, canvas.width, canvas.height);
    for (const points of [this.training.test, this.training.training]) {
      points.labels.forEach((label, i) => {
        const x = at(points.features[0][i], 0) * canvas.width, y = (1 - at(points.features[1][i], 1)) * canvas.height;
        context.beginPath();
        if (label) {
          context.moveTo(x, y - r);
          context.lineTo(x + r, y + r);
          context.lineTo(x - r, y + r);
          context.closePath();
        } else context.arc(x, y, r, 0, 2 * Math.PI);
        const colour = this.colour(label ? "one" : "zero"), train = points === this.training.training;
        context.fillStyle = train ? colour : this.colour("paper");
        context.strokeStyle = train ? this.colour("paper") : colour;
        context.lineWidth = (train ? 1 : 1.6) * devicePixelRatio;
        context.fill();
        context.stroke();
      });
    }
  }

  numbers() {
    const { training } = this;
    byId("steps").textContent = training.taken.toLocaleString("en");
    byId("epochs").textContent = training.epochs.toLocaleString("en");
    for (const [name, points] of [["training", training.training], ["test", training.test]]) {
      byId(`${name}-loss`).textContent = points.loss[0].toPrecision(3);
      byId(`${name}-accuracy`).textContent = `${Math.round(100 * points.accuracy[0])}%`;
    }
  }

  /** Note the losses for the curves, of which half are forgotten when there are too many. */
  note() {
    const { history } = this, { training, test, taken } = this.training;
    if (taken % this.every) return;
    const sample = { steps: taken, training: training.loss[0], test: test.loss[0], trainingAccuracy: training.accuracy[0], testAccuracy: test.accuracy[0] };
    for (const [name, value] of Object.entries(sample)) history[name].push(value);
    if (history.steps.length <= MOST_SAMPLES) return;
    this.every *= 2;
    for (const name of Object.keys(history)) history[name] = history[name].filter((_, i) => i % 2 === 0);
  }

  curves() {
    const { steps, training, test, trainingAccuracy, testAccuracy } = this.history, last = Math.max(10, steps.at(-1) ?? 0);
    const most = Math.max(0.8, ...training.concat(test).filter(Number.isFinite));
    this.chart(byId("losses"), steps, last, most, [[test, "derivative", [6, 4]], [training, "accent", []]]);
    this.chart(byId("accuracies"), steps, last, 1, [[testAccuracy, "derivative", [6, 4]], [trainingAccuracy, "accent", []]]);
    byId("most").textContent = most.toPrecision(2);
    for (const label of document.querySelectorAll(".last")) label.textContent = `${last.toLocaleString("en")} steps`;
  }

  /** Lines of columns over the steps, from 0 to `most`. */
  chart(canvas, steps, last, most, lines) {
    const context = canvas.getContext("2d"), { width, height } = canvas;
    context.clearRect(0, 0, width, height);
    context.lineWidth = 2 * devicePixelRatio;
    for (const [column, name, dashes] of lines) {
      context.strokeStyle = this.colour(name);
      context.setLineDash(dashes.map(length => length * devicePixelRatio));
      context.beginPath();
      column.forEach((value, i) => context.lineTo(steps[i] / last * width, height * (0.98 - 0.94 * Math.min(value, most) / most)));
      context.stroke();
    }
  }

  select(unit) {
    this.selected = unit === this.selected || unit === this.training.network.output ? null : unit;
    for (const [other, { button }] of this.tiles) button.setAttribute("aria-pressed", String(other === this.selected));
    for (const { neuron, line, text } of this.wires) {
      line.style.opacity = !this.selected || neuron === this.selected ? 1 : 0.15;
      text.toggleAttribute("hidden", neuron !== this.selected);
    }
    byId("result-title").textContent = this.selected ? this.tiles.get(unit).name.replace(/^./, first => first.toUpperCase()) : "Output";
    this.describe();
    this.draw();
  }

  /** The weights of the neuron that was chosen, in words. */
  describe() {
    const unit = this.selected;
    if (!unit || !unit.weights) return byId("chosen").replaceChildren();
    const weights = unit.weights.map(({ value }) => inWords(value[0])).join(", ");
    byId("chosen").textContent = `Weights of ${this.tiles.get(unit).name}: ${weights}. Bias: ${inWords(unit.bias.value[0])}.`;
  }

  /** The median of the latest durations, in words. */
  timed(duration) {
    this.times.push(duration);
    if (this.times.length > 60) this.times.shift();
    byId("timing").textContent = `${this.median().toFixed(1)} ms`;
  }

  median() {
    return [...this.times].sort((a, b) => a - b)[this.times.length >> 1];
  }
}
