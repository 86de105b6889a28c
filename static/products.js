// The list of products. Rows are kept by id, so that an update neither flickers nor closes open rows.

const price = (rrp) => String(rrp ?? "");

export class ProductList {
  #list = document.querySelector("#products");
  #template = document.querySelector("#product");
  #rows = new Map();
  #totals = new Map();

  // `order(id, amount)` is called when the user places an order.
  constructor(order) {
    this.#list.addEventListener("click", ({ target }) => {
      const button = target.closest("button[data-amount]");
      if (button) order(button.closest("li").dataset.id, Number(button.dataset.amount));
    });
  }

  clear() {
    this.#list.replaceChildren();
    this.#rows.clear();
    this.#totals.clear();
  }

  show(products) {
    const rows = new Map(products.map((product) => [product.id, this.#row(product)]));
    this.#rows = rows;
    const wanted = [...rows.values()];
    for (const row of [...this.#list.children]) if (!wanted.includes(row)) row.remove();
    // A row that is already in its place is not moved, because it would lose the focus.
    wanted.forEach((row, at) => {
      if (this.#list.children[at] !== row) this.#list.insertBefore(row, this.#list.children[at] ?? null);
    });
  }

  total({ id, total }) {
    const before = this.#totals.get(id);
    this.#totals.set(id, total);
    const orders = this.#rows.get(id)?.querySelector(".orders");
    if (!orders) return;
    orders.textContent = total;
    if (before !== undefined && before !== total) {
      orders.classList.remove("changed");
      // Forces a layout; otherwise the animation would not restart.
      void orders.offsetWidth;
      orders.classList.add("changed");
    }
  }

  #row(product) {
    const row = this.#rows.get(product.id) ?? this.#template.content.cloneNode(true).firstElementChild;
    const set = (selector, text) => {
      const element = row.querySelector(selector);
      if (element.textContent !== text) element.textContent = text;
    };
    row.dataset.id = product.id;
    set(".name", String(product.name ?? product.id));
    set(".rrp", price(product.rrp));
    set(".info", String(product.info ?? ""));
    if (this.#totals.has(product.id)) set(".orders", String(this.#totals.get(product.id)));
    return row;
  }
}
