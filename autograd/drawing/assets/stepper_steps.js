// The steps of the stepper as data: what is known at each of them.

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
