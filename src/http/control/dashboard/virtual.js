// A long list that keeps only the visible rows in the document. All rows have the same height.

import { element } from "./dom.js";

const ROW = 28;

// The number of extra rows above and below the visible ones, for smooth scrolling.
const SPARE = 6;

const STEPS = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity };

export class VirtualList {
  #items = [];
  // The item that the keyboard has selected.
  #active = null;
  #isDue = false;
  #space = element("div", { className: "space" });

  // `key(item)` identifies an item, `fill(row, item)` fills its row, and `open(item)` is called when it is chosen.
  constructor(list, { key, fill, open }) {
    Object.assign(this, { list, key, fill, open });
    list.append(this.#space);
    list.addEventListener("scroll", () => this.#draw());
    list.addEventListener("keydown", (event) => this.#press(event));
    list.addEventListener("click", ({ target }) => {
      const row = target.closest("[role=option]");
      const item = this.#items.find((one) => this.key(one) === row?.dataset.key);
      if (item) this.#choose(item);
    });
    new ResizeObserver(() => this.#draw()).observe(list);
  }

  // Replaces the items. If the user has scrolled to older items, these stay in view.
  show(items) {
    const top = Math.floor(this.list.scrollTop / ROW);
    const seen = this.list.scrollTop > 0 && this.#items[top];
    const place = seen ? items.findIndex((item) => this.key(item) === this.key(seen)) : -1;
    this.#items = items;
    this.#space.style.height = `${items.length * ROW}px`;
    if (place >= 0 && place !== top) this.list.scrollTop += (place - top) * ROW;
    this.#draw();
  }

  // Draws at most once per animation frame.
  #draw() {
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => {
      this.#isDue = false;
      const first = Math.max(0, Math.floor(this.list.scrollTop / ROW) - SPARE);
      const count = Math.ceil(this.list.clientHeight / ROW) + 2 * SPARE;
      this.#put(first, this.#items.slice(first, first + count));
    });
  }

  #put(first, items) {
    const rows = new Map([...this.#space.children].map((row) => [row.dataset.key, row]));
    items.forEach((item, at) => {
      const key = this.key(item);
      const row = rows.get(key) ?? this.#make(key, item);
      rows.delete(key);
      row.style.transform = `translateY(${(first + at) * ROW}px)`;
      row.ariaPosInSet = first + at + 1;
      row.ariaSetSize = this.#items.length;
      row.ariaSelected = item === this.#active || key === (this.#active && this.key(this.#active));
    });
    for (const gone of rows.values()) gone.remove();
    const active = this.#space.querySelector("[aria-selected=true]");
    if (active) this.list.setAttribute("aria-activedescendant", active.id);
    else this.list.removeAttribute("aria-activedescendant");
  }

  #make(key, item) {
    const row = element("div", { id: `row-${key.replaceAll(" ", "-")}`, role: "option" });
    row.dataset.key = key;
    this.fill(row, item);
    this.#space.append(row);
    return row;
  }

  #press(event) {
    const step = STEPS[event.key];
    if (event.key === "Enter" && this.#active) this.#choose(this.#active);
    if (step === undefined || this.#items.length === 0) return;
    event.preventDefault();
    const key = this.#active && this.key(this.#active);
    const at = this.#items.findIndex((item) => this.key(item) === key);
    const next = Math.min(this.#items.length - 1, Math.max(0, at + step));
    this.#active = this.#items[next];
    const [top, bottom] = [next * ROW, (next + 1) * ROW];
    if (top < this.list.scrollTop) this.list.scrollTop = top;
    if (bottom > this.list.scrollTop + this.list.clientHeight) this.list.scrollTop = bottom - this.list.clientHeight;
    this.#draw();
  }

  #choose(item) {
    this.#active = item;
    this.#draw();
    this.open(item);
  }
}
