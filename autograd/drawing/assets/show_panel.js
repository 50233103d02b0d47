// What is known of the chosen box, beside the drawing.

const panel = document.getElementById("panel");

function describe() {
  if (chosen === null) return panel.replaceChildren(...legend());
  const box = boxOf(chosen), group = folded.isGroup(chosen), parts = [];
  parts.push(make("h2", {}, titleOf(box)));
  parts.push(make("p", {class: "quiet"}, [KINDS[box.kind] ?? box.kind, box.count > 1 && box.name && `${box.count.toLocaleString("en")} of one kind`, chosen === data.output && box.kind !== "failed" && "the result"].filter(Boolean).join(", ")));
  const facts = [];
  const fact = (name, value, code = false) => {
    if (value !== null && value !== undefined && value !== "") facts.push(make("dt", {}, name), make("dd", {"data-fact": name}, code ? make("code", {}, value) : value));
  };
  const withoutWord = text => text.replace(/^grad /, "");
  const rows = role => box.rows.filter(row => row.role === role).map(row => row.text).join("\n");
  fact("Error", rows("failed").replaceAll("\n", " "));
  fact("Value", box.value === null ? rows("value") || rows("extent") : full(box.value));
  if (rows("histogram")) fact("Distribution", rows("histogram"));
  if (box.kind === "leaf" || (signOf(box) && box.kind !== "failed")) fact("Gradient", box.grad !== null ? full(box.grad) : withoutWord(rows("grad")) || "none yet: no backward pass has reached it");
  else if (group) fact("Gradient", withoutWord(rows("grad")));
  fact("Shape", box.shape === null ? rows("shape") : `(${box.shape.join(", ")}${box.shape.length === 1 ? "," : ""})`);
  fact("Type", box.dtype);
  fact("Formula", box.formula, true);
  fact("Line", box.line, true);
  if (box.kind !== "failed") fact("Note", rows("note"));
  if (group) fact("Inside", `${folded.inside.get(chosen).length} boxes`);
  parts.push(make("dl", {}, ...facts));
  const parent = folded.parent(chosen);
  if (group) parts.push(button(folded.isOpen(chosen) ? "Close" : "Open", () => { toggle(chosen); panel.querySelector("[data-toggle]")?.focus(); }, {"data-toggle": true}), " ");
  if (parent !== null) parts.push(button(`Close ${titleOf(boxOf(parent))}`, () => { toggle(parent); choose(parent, true); }));
  const within = id => folded.path(id).includes(chosen);
  parts.push(...table("Inputs", layout.edges.filter(edge => within(edge.target) && !within(edge.source)), edge => edge.source));
  const uses = layout.edges.filter(edge => within(edge.source) && !within(edge.target));
  parts.push(...table("Used by", uses, edge => edge.target));
  const numbers = uses.map(edge => edge.norm ? null : numeric(edge.contribution));
  if (uses.length > 1 && !group && box.count === 1 && numbers.every(x => x !== null)) {
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
    paragraph("Choose a box for its numbers, its formula and the line of code.", hasGroups ? " Violet boxes open and close by their + and −." : ""),
    make("p", {class: "quiet keys"}, "Keys: arrows go from box to box, Enter opens and closes, + and − zoom, 0 fits, Escape comes back here."),
  ];
}
