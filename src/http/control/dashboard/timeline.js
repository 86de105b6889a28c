// Scripts as pictures: steps behind and ahead, and where the world's time is among them. A click on one that is ahead
// lets everything until then happen now.

import { button, element, find, keep } from "./dom.js";
import { millis, short } from "./time.js";

const signed = (amount) => (amount < 0 ? `${amount}` : `+${amount}`);

export const describe = ({ product, amount, set, add, remove, fault, times, every }) => {
  const often = times > 1 ? `, ${times} times${every ? ` every ${every}` : ""}` : "";
  if (set) return `${set.product} = ${set.total}${often}`;
  if (add) return `add ${add.product.name ?? add.product.id ?? "a product"} to ${add.category}${often}`;
  if (remove) return `remove ${remove.product}${often}`;
  if (fault) return `fault ${fault.name ?? JSON.stringify(fault)}${often}`;
  return `${product} ${signed(amount)}${often}`;
};

const drawn = ({ products }) => (typeof products === "string" ? products : JSON.stringify(products));

const rate = ({ every }) => Number((1000 / millis(every)).toPrecision(3));

export class Timeline {
  // `advance(at)` is called with the time to go to.
  constructor(advance) {
    this.advance = advance;
    find("#scripts").addEventListener("keydown", (event) => this.#press(event));
  }

  show({ at, scripts, generators }) {
    const now = millis(at);
    keep(find("#scripts"), scripts, ({ script }) => script, () => this.#make(), (item, script) => this.#draw(item, script, now));
    const update = (item, { generator, due, declared }) => {
      const { every, arrivals, amount } = declared;
      item.textContent = `${generator}: ${rate(declared)} a second (${arrivals ?? "every"} ${every}), ${amount.min} to ${amount.max} of ${drawn(declared)}, ` +
        (due === null ? "over" : `next at ${short(due)}`);
    };
    keep(find("#generators"), generators, ({ generator }) => generator, () => element("li"), update);
  }

  #make() {
    const rail = element("div", { className: "rail", role: "group" }, element("div", { className: "cursor" }));
    return element("li", {}, element("h3"), element("span"), rail, element("p"));
  }

  #draw(item, script, now) {
    const { script: name, began, length, round, repeat, count, begun, due, first, steps } = script;
    const isWhole = steps.length === count;
    const start = isWhole ? millis(began) : millis(steps[0].at);
    const end = isWhole ? start + millis(length) : millis(steps.at(-1).at);
    const place = (time) => `${(100 * Math.min(1, Math.max(0, (time - start) / (end - start || 1)))).toFixed(3)}%`;
    const [title, progress, rail, next] = item.children;
    title.textContent = name;
    progress.textContent = `repeat ${round} of ${repeat ?? "∞"}, ${begun} of ${count} steps`;
    rail.ariaLabel = `Steps of ${name}`;
    rail.dataset.over = due === null;
    const coming = steps[begun - first];
    next.textContent = due === null ? "over" : coming ? `next at ${short(coming.at)}: ${describe(coming.step)}` : `goes on at ${short(due)}`;
    const make = () => button("", "", ({ target }) => this.advance(target.dataset.at));
    const update = (mark, { at, step, number }) => {
      const isBehind = number < begun;
      mark.dataset.at = at;
      mark.className = isBehind ? "behind" : "ahead";
      mark.disabled = isBehind || due === null;
      mark.tabIndex = number === begun ? 0 : -1;
      mark.title = `${short(at)}: ${describe(step)}`;
      mark.ariaLabel = `${mark.title}${isBehind ? ", done" : ", advance to it"}`;
      mark.style.left = place(millis(at));
    };
    const cursor = rail.firstChild;
    const numbered = steps.map((step, index) => ({ ...step, number: first + index }));
    const marks = rail.lastChild === cursor ? rail.appendChild(element("div", { className: "marks" })) : rail.lastChild;
    keep(marks, numbered, ({ number }) => `${round} ${number}`, make, update);
    cursor.style.left = place(now);
  }

  // One step is in the order of the tabulator; the arrows lead to the others.
  #press(event) {
    const step = { ArrowRight: "nextElementSibling", ArrowLeft: "previousElementSibling" }[event.key];
    const next = step && event.target.matches(".marks button") && event.target[step];
    if (!next || next.disabled) return;
    event.preventDefault();
    next.focus();
  }
}
