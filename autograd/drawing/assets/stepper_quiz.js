// The quiz of the stepper: what is typed, and whether it is right.

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
