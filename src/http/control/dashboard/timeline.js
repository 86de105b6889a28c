// Scripts as timelines: past and coming steps, and the world's time among them. A click on a coming step advances the
// clock to it.

import { button, element, find, keep } from "./dom.js";
import { millis, short } from "./time.js";

const signed = (amount) => (amount < 0 ? `${amount}` : `+${amount}`);
const amounts = (amount) =>
  amount.min === undefined ? signed(amount) : `${signed(amount.min)} to ${signed(amount.max)}`;

const describe = ({ product, amount, set, add, remove, fault, times, every }) => {
  const often = times > 1 ? `, ${times} times${every ? ` every ${every}` : ""}` : "";
  if (set) return `${set.product} = ${set.total}${often}`;
  if (add) return `add ${add.product.name ?? add.product.id ?? "a product"} to ${add.category}${often}`;
  if (remove) return `remove ${remove.product}${often}`;
  if (fault) return `fault ${fault.name ?? JSON.stringify(fault)}${often}`;
  return `${product} ${amounts(amount)}${often}`;
};

const productsOf = ({ products }) => (typeof products === "string" ? products : JSON.stringify(products));

const VERBS = ["do", "send", "add", "merge", "replace", "remove", "increment", "set", "order", "fault"];

// The number of characters that are shown of general steps.
const CUT = 100;

// The number of scheduled lists of steps that are shown.
const WAITING = 8;

// General steps, as written in the scenario.
const written = (rule) => {
  const verb = VERBS.find((name) => rule[name] !== undefined);
  const text = `${verb} ${JSON.stringify(rule[verb])}`;
  return text.length > CUT ? `${text.slice(0, CUT)}…` : text;
};

const orders = (declared) => {
  const { every, arrivals, amount } = declared;
  return `${rate(declared)} a second (${arrivals ?? "every"} ${every}), ${amount.min} to ${amount.max} of ${productsOf(declared)}`;
};

const general = (declared) => {
  const { every, rate: often, arrivals, jitter } = declared;
  const times = often ?? `${arrivals ?? "every"} ${every}`;
  return `${times}${jitter === undefined ? "" : ` ± ${jitter}`}, ${written(declared)}`;
};

const rate = ({ every }) => Number((1000 / millis(every)).toPrecision(3));

// Groups steps that happen at the same time into one mark.
const group = (steps, first) => {
  const marks = [];
  steps.forEach(({ at, step }, index) => {
    if (marks.at(-1)?.at === at) marks.at(-1).steps.push(step);
    else marks.push({ at, number: first + index, steps: [step] });
  });
  return marks;
};

const label = ({ at, steps }, say) => `${short(at)}: ${steps.slice(0, 5).map(say).join("; ")}${steps.length > 5 ? ` and ${steps.length - 5} more` : ""}`;

export class Timeline {
  // Calls `advance(at)` with the time to advance to.
  constructor(advance) {
    this.advance = advance;
    find("#scripts").addEventListener("keydown", (event) => this.#press(event));
  }

  show({ at, scripts, generators, waiting }) {
    const now = millis(at);
    const numbered = scripts.map((script, place) => ({ ...script, place }));
    keep(find("#scripts"), numbered, ({ place }) => place, () => this.#make(), (item, script) => this.#draw(item, script, now));
    const update = (item, { generator, due, declared }) => {
      item.textContent = `${generator}: ${declared.amount === undefined ? general(declared) : orders(declared)}, ` +
        (due === null ? "over" : `next at ${short(due)}`);
    };
    keep(find("#generators"), generators, ({ generator }) => generator, () => element("li"), update);
    const shown = new Set(scripts.map(({ script }) => script));
    const others = waiting.filter(({ rule }) => !shown.has(rule));
    const soon = others.slice(0, WAITING).map(({ rule, due }) => `${rule}: next at ${short(due)}`);
    const lines = others.length > WAITING ? [...soon, "and more"] : soon;
    keep(find("#waiting"), lines.map((line, place) => ({ line, place })), ({ place }) => place, () => element("li"), (item, { line }) => { item.textContent = line; });
  }

  #make() {
    const marks = element("div", { className: "marks" });
    const rail = element("div", { className: "rail", role: "group" }, element("div", { className: "cursor" }), marks);
    // A click beside the marks advances to the time at that place.
    rail.addEventListener("click", (event) => {
      const { start, end, now } = rail.dataset;
      const { left, width } = marks.getBoundingClientRect();
      const time = Math.round(Number(start) + ((event.clientX - left) / width) * (end - start));
      if (event.target.closest("button") === null && rail.dataset.over === "false" && time > Number(now)) this.advance(`${time}ms`);
    });
    return element("li", {}, element("h3"), element("span"), rail, element("p", { className: "next" }), element("p", { className: "told" }));
  }

  #draw(item, script, now) {
    const { script: name, began, length, round, repeat, count, begun, due, first, steps } = script;
    // For scripts of general steps, only the next step is known, not the length.
    const isGeneral = length === null;
    const say = isGeneral ? written : describe;
    const isWhole = !isGeneral && steps.length === count;
    const start = began === null ? now : isWhole || isGeneral ? millis(began) : millis(steps[0].at);
    const end = isWhole ? start + millis(length) : steps.length > 0 ? millis(steps.at(-1).at) : start;
    const place = (time) => `${(100 * Math.min(1, Math.max(0, (time - start) / (end - start || 1)))).toFixed(3)}%`;
    const [title, progress, rail, next, words] = item.children;
    const [cursor, marks] = rail.children;
    title.textContent = name;
    progress.textContent = `repeat ${round} of ${repeat ?? "∞"}, ${begun} of ${count} steps`;
    rail.ariaLabel = `Steps of ${name}`;
    Object.assign(rail.dataset, { over: due === null, start, end, now });
    const coming = steps[begun - first];
    next.textContent = due === null ? "over" : coming ? `next at ${short(coming.at)}: ${say(coming.step)}` : `continues at ${short(due)}`;
    const update = (mark, one) => {
      const isBehind = one.number < begun || due === null;
      const text = label(one, say);
      mark.dataset.at = one.at;
      mark.dataset.count = one.steps.length > 1 ? one.steps.length : "";
      mark.className = isBehind ? "behind" : "ahead";
      mark.ariaDisabled = isBehind;
      mark.title = text;
      mark.ariaLabel = `${text}${isBehind ? ", done" : ", advance to it"}`;
      mark.style.left = place(millis(one.at));
    };
    keep(marks, group(steps, first), ({ number }) => `${round} ${number}`, () => this.#mark(words), update);
    const isTabbed = (mark) => mark.className === "ahead";
    const tabbed = [...marks.children].find(isTabbed) ?? marks.lastChild;
    for (const mark of marks.children) mark.tabIndex = mark === tabbed ? 0 : -1;
    cursor.style.left = place(now);
  }

  // Touch has no hover, so the first touch shows the step and the second one advances to it.
  #mark(words) {
    const describeMark = (mark) => { words.textContent = mark.title; };
    const mark = button("", "", ({ pointerType }) => {
      const isDescribed = words.textContent === mark.title;
      describeMark(mark);
      if (mark.ariaDisabled !== "true" && (pointerType !== "touch" || isDescribed)) this.advance(mark.dataset.at);
    });
    mark.addEventListener("focus", () => { if (mark.matches(":focus-visible")) describeMark(mark); });
    mark.addEventListener("pointerenter", ({ pointerType }) => { if (pointerType === "mouse") describeMark(mark); });
    return mark;
  }

  // The Tab key reaches one step; the arrow keys move to the others.
  #press(event) {
    const step = { ArrowRight: "nextElementSibling", ArrowLeft: "previousElementSibling" }[event.key];
    const next = step && event.target.matches(".marks button") && event.target[step];
    if (!next) return;
    event.preventDefault();
    next.focus();
  }
}
