// Choices, buttons, keys and the address.

const START = Object.fromEntries(Object.entries(data.settings).map(([name, { start }]) => [name, start]));
const RESTARTS = ["data", "layer1", "layer2", "layer3", "activation", "seed"]; // what begins anew; all else changes at once

/** The choice that an address names, by the table of settings, and a message on what in it was not understood. */
function parsed(address) {
  const choice = { ...START }, wrong = [];
  for (const part of address.replace(/^#/, "").split("&").filter(Boolean)) {
    const [name, text, ...rest] = part.split("=");
    const known = Object.hasOwn(data.settings, name) ? data.settings[name].values : [];
    const value = known.find(each => String(each) === text);
    if (value === undefined || rest.length) wrong.push(part.length > 40 ? `${part.slice(0, 40)}…` : part);
    else choice[name] = value;
  }
  const rest = wrong.length > 3 ? `, and ${wrong.length - 3} more` : "";
  const message = wrong.length ? `Ignored in the address, for it is none of the choices here: ${wrong.slice(0, 3).join(", ")}${rest}.` : "";
  return [choice, message];
}

const addressOf = choice => `#${Object.keys(START).map(name => `${name}=${choice[name]}`).join("&")}`;

const [firstChoice, firstMessage] = parsed(location.hash);
const training = new Training(firstChoice);
const picture = new Picture(training, unit => picture.select(unit));
let running = 0, drawn = 0;

function show() {
  training.look();
  picture.note();
  picture.draw();
  if (!running) picture.describe();
  if (!Number.isFinite(training.training.loss[0])) {
    play(false);
    say("The loss is no finite number any more: choose a lower learning rate, and reset.");
  }
}

function restart() {
  training.place();
  training.restart();
  picture.layOut();
  show();
}

/** A step, or several, and the picture of it; how long that takes is shown. */
function advance() {
  const start = performance.now();
  for (let i = 0; i < training.choice.speed; i++) training.step();
  show();
  picture.timed(performance.now() - start);
}

function frame(now) {
  if (calm.matches && now - drawn < 500) for (let i = 0; i < training.choice.speed; i++) training.step(); // fewer pictures
  else {
    drawn = now;
    advance();
  }
  if (running) running = requestAnimationFrame(frame);
}

function play(on) {
  cancelAnimationFrame(running);
  running = on ? requestAnimationFrame(frame) : 0;
  byId("play").textContent = on ? "Pause" : "Train";
  if (!on) picture.describe();
}

function say(text) {
  byId("message").textContent = text;
}

/** What was chosen becomes what is trained, seen in the controls and in the address. */
function adopt(choice) {
  const changed = Object.keys(choice).filter(name => choice[name] !== training.choice[name]);
  training.choice = choice;
  for (const [name, control] of Object.entries(controls)) control.value = String(choice[name]);
  history.replaceState(null, "", addressOf(choice));
  byId("address").value = location.href;
  if (changed.some(name => RESTARTS.includes(name))) return restart();
  if (changed.includes("optimizer")) training.forget();
  if (changed.includes("noise")) {
    training.place();
    picture.points();
  }
  if (changed.includes("batch")) training.batches = training.cut();
  if (changed.length) show();
}

const controls = {};
for (const [name, { title, values }] of Object.entries(data.settings)) {
  const options = values.map(value => make("option", { value }, name.startsWith("layer") && value === 0 ? "none" : String(value)));
  controls[name] = make("select", { id: name, autocomplete: "off" }, ...options);
  controls[name].addEventListener("change", () => {
    say("");
    adopt({ ...training.choice, [name]: values.find(value => String(value) === controls[name].value) });
  });
  byId("choices").append(make("label", { for: name }, title, controls[name]));
}

byId("play").addEventListener("click", () => play(!running));
byId("step").addEventListener("click", () => {
  play(false);
  advance();
});
byId("reset").addEventListener("click", () => {
  play(false);
  say("");
  restart();
});
byId("copy").addEventListener("click", async () => {
  byId("address").select();
  try {
    await navigator.clipboard.writeText(location.href);
    say("The address is copied.");
  } catch {
    say("The address is selected: copy it with your keyboard, or from the menu.");
  }
});
addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT)$/.test(event.target.tagName)) return;
  const button = { " ": "play", s: "step", r: "reset" }[event.key.toLowerCase()];
  if (!button || (event.key === " " && event.target.tagName === "BUTTON")) return;
  event.preventDefault();
  byId(button).click();
});
addEventListener("hashchange", () => {
  const [choice, message] = parsed(location.hash);
  adopt(choice);
  say(message);
});
addEventListener("resize", () => {
  picture.place();
  picture.points();
  picture.draw();
});
dark.addEventListener("change", () => {
  picture.theme();
  for (const feature of training.network.features) picture.tileOf(feature);
  picture.points();
  picture.draw();
});

picture.layOut();
adopt(firstChoice);
say(firstMessage);
show();
