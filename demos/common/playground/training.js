// Training: which of the engine's functions is called, in which order, and of which numbers. Nothing is computed here.
//
// A number that changes is an array of length 1, and a column has one for each point: a function of `engine` runs over
// the points, reads and writes columns at each, and single numbers, of which it makes sums, at the same place.

const single = value => Float64Array.of(value);
const column = length => new Float64Array(length);
const stepOf = array => (array.length > 1 ? 1 : 0);

/** Run a function of the engine over `count` points. */
function run(name, count, inputs, outputs) {
  engine[name](count, inputs, inputs.map(stepOf), outputs, outputs.map(stepOf));
}

/** Points with their labels, and for each unit of a network the column of its values and that of its gradients. */
class Points {
  constructor(x, y, labels) {
    this.count = x.length;
    this.size = single(x.length);
    this.features = [Float64Array.from(x), Float64Array.from(y)];
    this.labels = Float64Array.from(labels);
    this.values = new Map();
    this.gradients = new Map();
    this.loss = single(0);
    this.accuracy = single(0);
  }

  valuesOf(unit) {
    if (unit.feature !== undefined) return this.features[unit.feature];
    if (!this.values.has(unit)) this.values.set(unit, column(this.count));
    return this.values.get(unit);
  }

  gradientsOf(unit) {
    if (!this.gradients.has(unit)) this.gradients.set(unit, column(this.count));
    return this.gradients.get(unit);
  }

  /** Those of these indices. */
  chosen(indices) {
    const [x, y] = this.features;
    return new Points(indices.map(i => x[i]), indices.map(i => y[i]), indices.map(i => this.labels[i]));
  }
}

/** A number that is learned, with its gradient. */
class Parameter {
  constructor(value, decays) {
    this.value = value;
    this.decays = decays;
    this.gradient = single(0);
    this.remembered = [];
  }
}

/** A neuron: the units that it reads, and the names of its functions. */
class Neuron {
  constructor(sources, activation, layer, draw) {
    const initial = () => {
      const value = single(0);
      run("initial", 1, [single(draw()), single(sources.length), single(data.gains[activation])], [value]);
      return value;
    };
    this.sources = sources;
    this.layer = layer;
    this.weights = sources.map(() => new Parameter(initial(), true));
    this.bias = new Parameter(single(0), false);
    this.parameters = [...this.weights, this.bias];
    this.forward = `neuron_${sources.length}_${activation}`;
    this.pullback = `pullback_${sources.length}_${activation}`;
  }

  reads(points) {
    return [...this.sources.map(unit => points.valuesOf(unit)), ...this.parameters.map(each => each.value)];
  }

  fills(points) {
    return [...this.sources.map(unit => points.gradientsOf(unit)), ...this.parameters.map(each => each.gradient)];
  }
}

/** Layers of neurons on the two coordinates, and one neuron without an activation, whose value is the score. */
class Network {
  constructor(sizes, activation, drawn) {
    const numbers = drawn.values();
    const draw = () => numbers.next().value;
    this.features = [{ feature: 0 }, { feature: 1 }];
    this.layers = [];
    let sources = this.features;
    for (const size of [...sizes, 1]) {
      const kind = this.layers.length === sizes.length ? "linear" : activation;
      const before = sources, layer = this.layers.length;
      sources = Array.from({ length: size }, () => new Neuron(before, kind, layer, draw));
      this.layers.push(sources);
    }
    this.neurons = this.layers.flat();
    this.backwards = [...this.neurons].reverse();
    this.parameters = this.neurons.flatMap(neuron => neuron.parameters);
    this.output = this.backwards[0];
  }

  /** The values of all neurons at these points. */
  forward(points) {
    for (const neuron of this.neurons) run(neuron.forward, points.count, neuron.reads(points), [points.valuesOf(neuron)]);
  }

  /** The mean loss of these points, and the share of them on their side of the boundary. */
  measure(points) {
    points.loss.fill(0);
    points.accuracy.fill(0);
    const { labels, size, count } = points, scores = points.valuesOf(this.output);
    run("loss", count, [scores, labels, size, points.loss], [points.loss, points.gradientsOf(this.output)]);
    run("accuracy", count, [scores, labels, size, points.accuracy], [points.accuracy]);
  }

  /** The gradients of the mean loss of these points. */
  backward(points) {
    for (const gradients of points.gradients.values()) gradients.fill(0);
    for (const parameter of this.parameters) parameter.gradient.fill(0);
    this.measure(points);
    for (const neuron of this.backwards) {
      const filled = neuron.fills(points);
      run(neuron.pullback, points.count, [...neuron.reads(points), points.gradientsOf(neuron), ...filled], filled);
    }
  }
}

/** A network in training, with all that was chosen. */
class Training {
  constructor(choice) {
    this.choice = choice;
    this.place();
    this.restart();
  }

  /** Points with the noise that was chosen, and the grid about them. */
  place() {
    const { places, moves, labels, axes } = data.sets[this.choice.data];
    const moved = places.map((place, axis) => {
      const found = column(place.length);
      const given = [Float64Array.from(place), single(this.choice.noise), Float64Array.from(moves[axis])];
      run("moved", place.length, given, [found]);
      return [...found];
    });
    const half = data.orders[0].length;
    this.training = new Points(...moved.map(all => all.slice(0, half)), labels.slice(0, half));
    this.test = new Points(...moved.map(all => all.slice(half)), labels.slice(half));
    const grid = axes[1].flatMap(y => axes[0].map(x => [x, y]));
    this.grid = new Points(grid.map(([x]) => x), grid.map(([, y]) => y), grid.map(() => 0));
    this.batches = this.cut();
  }

  /** A network with its first weights. */
  restart() {
    const sizes = [this.choice.layer1, this.choice.layer2, this.choice.layer3].filter(size => size > 0);
    this.network = new Network(sizes, this.choice.activation, data.drawn[this.choice.seed]);
    this.training.values.clear();
    this.training.gradients.clear();
    this.test.values.clear();
    this.test.gradients.clear();
    this.grid.values.clear();
    this.forget();
    this.epochs = 0;
    this.taken = 0;
    this.batches = this.cut();
  }

  /** What the optimizer remembers is as at first. */
  forget() {
    this.time = single(0);
    for (const parameter of this.network.parameters) {
      parameter.remembered = Array.from({ length: data.remembered[this.choice.optimizer] }, () => single(0));
    }
  }

  /** The batches of one epoch after the other, each in another order. */
  * cut() {
    for (;;) {
      for (const order of data.orders) {
        let batch = [];
        for (const index of order) {
          batch.push(index);
          if (batch.length < this.choice.batch) continue;
          yield this.training.chosen(batch);
          batch = [];
        }
        if (batch.length) yield this.training.chosen(batch);
        this.epochs++;
      }
    }
  }

  /** One step of the optimizer, on the next batch. */
  step() {
    const { choice, network } = this;
    const batch = this.batches.next().value;
    network.forward(batch);
    network.backward(batch);
    this.time[0]++;
    this.taken++;
    const rate = single(choice.rate), penalty = single(choice.l2), none = single(0);
    for (const { value, gradient, remembered, decays } of network.parameters) {
      const given = [value, gradient, ...remembered, this.time, rate, decays ? penalty : none];
      run(`update_${choice.optimizer}`, 1, given, [value, ...remembered]);
    }
  }

  /** The values at all points and on the grid. */
  look() {
    for (const points of [this.training, this.test]) {
      this.network.forward(points);
      this.network.measure(points);
    }
    this.network.forward(this.grid);
  }
}
