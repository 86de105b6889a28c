// Categories and their products, each with its total, a line of the last minute, and a form to order it.

import { cell, element, find, said } from "./dom.js";

const MINUTE = 60;
const HALF_A_SECOND = 500;

// Rows of a category; with more products, the search finds the others.
const SHOWN = 100;

export class Products {
  #categories = [];
  #sections = new Map();
  #rows = new Map();
  // The number of events by then.
  #before = null;
  #known = "";

  // `order(id, amount, times)` and `add(category, properties)` are called when somebody wants that.
  constructor(acts) {
    this.acts = acts;
    find("#wanted").addEventListener("input", () => this.#draw());
  }

  // Whether a list of products is out of date.
  isStale({ scenario, totals }, { count }) {
    const known = `${scenario} ${count} ${Object.keys(totals).join(" ")}`;
    const isStale = known !== this.#known;
    this.#known = known;
    return isStale;
  }

  list(categories) {
    this.#categories = categories;
    this.#draw();
  }

  show(totals, events) {
    for (const [id, row] of this.#rows) row.update(totals[id] ?? 0);
    const now = performance.now();
    const { at, count } = this.#before ?? { at: now, count: events };
    // What is asked for right after something else says little about a second.
    if (this.#before !== null && now - at < HALF_A_SECOND) return;
    const rate = Math.max(0, events - count) / Math.max(1, (now - at) / 1000);
    this.#before = { at: now, count: events };
    find("#rate").textContent = `${Math.round(rate)} events a second`;
  }

  #draw() {
    const wanted = find("#wanted").value.toLowerCase();
    const gone = new Set(this.#sections.keys());
    const rows = new Map();
    for (const { name, products } of this.#categories) {
      gone.delete(name);
      const fits = products.filter((product) => !wanted || JSON.stringify(product).toLowerCase().includes(wanted));
      const shown = fits.slice(0, SHOWN).map((product) => {
        const row = this.#rows.get(product.id) ?? new Row(product.id, this.acts.order);
        row.name.textContent = product.name ?? "";
        rows.set(product.id, row);
        return row.element;
      });
      const section = this.#section(name);
      section.querySelector("h3").textContent = name;
      section.querySelector(".more").textContent = `${shown.length} of ${products.length} products shown`;
      section.querySelector("tbody").replaceChildren(...shown);
    }
    this.#rows = rows;
    for (const name of gone) {
      this.#sections.get(name).remove();
      this.#sections.delete(name);
    }
  }

  #section(name) {
    if (this.#sections.has(name)) return this.#sections.get(name);
    const section = find("#category").content.cloneNode(true).firstElementChild;
    section.dataset.category = name;
    section.querySelector("details form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.acts.add(name, said(event.target).product);
    });
    section.querySelector("summary").ariaLabel = `Add a product to ${name}`;
    this.#sections.set(name, section);
    find("#categories").append(section);
    return section;
  }
}

class Row {
  #history = [];
  #total = cell();
  #line = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
  name = cell();
  element = element("tr");

  constructor(id, order) {
    const picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    picture.setAttribute("viewBox", `0 0 ${MINUTE} 20`);
    picture.setAttribute("preserveAspectRatio", "none");
    picture.setAttribute("aria-hidden", "true");
    picture.append(this.#line);
    const form = find("#order").content.cloneNode(true).firstElementChild;
    form.elements.amount.ariaLabel = `Amount for ${id}`;
    form.elements.times.ariaLabel = `How many orders of ${id}`;
    form.querySelector("button").ariaLabel = `Order ${id}`;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      order(id, form.elements.amount.valueAsNumber, form.elements.times.valueAsNumber);
    });
    this.element.dataset.id = id;
    this.element.append(element("th", { scope: "row", textContent: id }), this.name, this.#total, cell(picture), cell(form));
  }

  update(total) {
    this.#total.textContent = total;
    const now = performance.now() / 1000;
    this.#history = this.#history.filter(({ at }) => at > now - MINUTE).concat({ at: now, total });
    const all = this.#history.map(({ total: value }) => value);
    const [low, high] = [Math.min(...all), Math.max(...all)];
    const point = ({ at, total: value }) => `${MINUTE + at - now},${19 - (18 * (value - low)) / (high - low || 1)}`;
    this.#line.setAttribute("points", this.#history.map(point).join(" "));
  }
}
