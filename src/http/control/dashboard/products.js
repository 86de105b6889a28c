// Categories and their products, each with its total, a sparkline of the last minute, and an order form.

import { cell, element, find, keep, said } from "./dom.js";
import { Sparkline } from "./sparkline.js";

const HALF_A_SECOND = 500;

// The maximum number of rows in all categories together. The search finds the other products.
const SHOWN = 200;

export class Products {
  #categories = [];
  #sections = new Map();
  // The sparkline of each category.
  #lines = new Map();
  // The rows of all products, including those that are not shown, which keep their input and their sparkline.
  #rows = new Map();
  // When events were last counted, and their number.
  #before = null;
  #known = "";

  // Calls `order(id, amount, times)` and `add(category, properties)` when a form is submitted.
  constructor(acts) {
    this.acts = acts;
    find("#wanted").addEventListener("input", () => this.#draw());
  }

  // Fetches the products if the known ones are out of date, such as after `forget`.
  async refresh({ scenario, totals }, { count }, fetch) {
    const known = `${scenario} ${count} ${Object.keys(totals).join(" ")}`;
    if (known === this.#known) return;
    this.#categories = await fetch();
    this.#known = known;
    const ids = new Set(this.#categories.flatMap(({ products }) => products.map(({ id }) => id)));
    for (const id of this.#rows.keys()) if (!ids.has(id)) this.#rows.delete(id);
    this.#draw();
  }

  forget() {
    this.#known = "";
  }

  show(totals, events) {
    for (const [id, row] of this.#rows) row.update(totals[id] ?? 0);
    for (const { name, products } of this.#categories) {
      const all = products.reduce((sum, { id }) => sum + (totals[id] ?? 0), 0);
      this.#sections.get(name).querySelector("h3 span").textContent = `${all} in all`;
      this.#lines.get(name).update(all);
    }
    const now = performance.now();
    const { at, count } = this.#before ?? { at: now, count: events };
    // Counts taken in quick succession give no reliable rate.
    if (this.#before !== null && now - at < HALF_A_SECOND) return;
    const rate = Math.max(0, events - count) / Math.max(1, (now - at) / 1000);
    this.#before = { at: now, count: events };
    find("#rate").textContent = `${Math.round(rate)} a second`;
  }

  #draw() {
    const wanted = find("#wanted").value.toLowerCase();
    let left = SHOWN;
    const sections = this.#categories.map(({ name, products }) => {
      const fits = products.filter((product) => !wanted || JSON.stringify(product).toLowerCase().includes(wanted));
      const shown = fits.slice(0, left);
      left -= shown.length;
      return { name, count: products.length, shown };
    });
    const make = ({ name }) => this.#make(name);
    const update = (section, { count, shown }) => {
      section.querySelector(".more").textContent = `${shown.length} of ${count} products shown`;
      keep(section.querySelector("tbody"), shown, ({ id }) => id, (product) => this.#row(product).element, (row, product) => this.#row(product).call(product));
    };
    keep(find("#categories"), sections, ({ name }) => name, make, update);
    this.#sections = new Map([...find("#categories").children].map((section) => [section.dataset.category, section]));
  }

  #row({ id }) {
    if (!this.#rows.has(id)) this.#rows.set(id, new Row(id, this.acts.order));
    return this.#rows.get(id);
  }

  #make(name) {
    const section = find("#category").content.cloneNode(true).firstElementChild;
    section.dataset.category = name;
    section.querySelector("h3").prepend(`${name} `);
    this.#lines.set(name, new Sparkline());
    section.querySelector("h3").append(this.#lines.get(name).element);
    section.querySelector("details form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.acts.add(name, said(event.target).product);
    });
    section.querySelector("summary").ariaLabel = `Add a product to ${name}`;
    return section;
  }
}

class Row {
  #total = cell();
  #line = new Sparkline();
  #name = cell();
  element = element("tr");

  constructor(id, order) {
    const form = find("#order").content.cloneNode(true).firstElementChild;
    form.elements.amount.ariaLabel = `Amount for ${id}`;
    form.elements.times.ariaLabel = `Number of orders of ${id}`;
    form.querySelector("button").ariaLabel = `Order ${id}`;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      order(id, form.elements.amount.valueAsNumber, form.elements.times.valueAsNumber);
    });
    this.element.dataset.id = id;
    this.element.append(element("th", { scope: "row", textContent: id }), this.#name, this.#total, cell(this.#line.element), cell(form));
  }

  call({ name }) {
    this.#name.textContent = name ?? "";
  }

  update(total) {
    this.#total.textContent = total;
    this.#line.update(total);
  }
}
