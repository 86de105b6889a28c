// The shop: choose a category, see its products with live order totals, order, and add products.
// The API is where the page comes from, or what `?api=http://localhost:3000` says.

import { LiveOrders } from "./live.js";
import { ProductList } from "./products.js";

const api = new URL(new URLSearchParams(location.search).get("api") ?? ".", location.href);
if (!api.pathname.endsWith("/")) api.pathname += "/";

const find = (selector) => document.querySelector(selector);
const [title, status, category, hint, add, error] =
  ["#title", "#status", "#category", "#hint", "#add", "#error"].map(find);

// Answers that come after a later request of the same kind are not shown.
let listing = 0;
let chosen = "";
let wasOffline = false;

const request = async (path, payload) => {
  const options = payload && {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(payload),
  };
  const response = await fetch(new URL(path, api), options);
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.message ?? response.statusText);
  return answer;
};

const segment = (text) => encodeURIComponent(text);

// Runs what the user asked for and shows what went wrong with it, if anything did.
const attempt = async (action) => {
  try {
    await action();
    error.textContent = "";
  } catch (problem) {
    error.textContent = `That did not work: ${problem.message}`;
  }
};

const products = new ProductList((id, amount) => attempt(() => request(`orders/${segment(id)}`, { amount })));

const live = new LiveOrders(api, {
  order: (order) => products.total(order),
  notice: () => refresh(),
  state: (state) => {
    showState(state);
    // On the way back the socket itself brings the current orders.
    if (state === "live" && wasOffline) refresh();
    wasOffline = state === "offline";
  },
});

const showState = (state) => {
  status.dataset.state = state;
  status.textContent = { live: "Live", offline: "Connection lost, reconnecting…", ready: "Ready" }[state];
};

const showCategories = (categories) => {
  const names = categories.map(({ name }) => name);
  const shown = [...category.options].slice(1).map(({ value }) => value);
  if (names.join("/") === shown.join("/")) return;
  category.replaceChildren(category.options[0], ...names.map((name) => new Option(label(name), name)));
  category.value = names.includes(chosen) ? chosen : "";
  choose();
};

const label = (name) => name.charAt(0).toUpperCase() + name.slice(1);

const loadCategories = async () => {
  const { scenario, categories } = await request("__mockd/state");
  title.textContent = scenario;
  document.title = `${scenario} – mockd`;
  showCategories(categories);
};

const showProducts = async (answer) => {
  const mine = ++listing;
  const list = await answer;
  if (mine === listing) products.show(list);
};

// Gets categories and products again, without a flicker, because they changed or the connection was lost. If that
// fails, the socket fails too, and says so.
const refresh = async () => {
  try {
    await loadCategories();
    if (!chosen) return;
    await showProducts(request(segment(chosen)));
    live.watch(chosen);
  } catch (problem) {
    console.warn("the products are not up to date:", problem);
  }
};

const choose = () => {
  const name = category.value;
  if (name === chosen) return;
  chosen = name;
  history.replaceState(null, "", name ? `#${segment(name)}` : location.pathname + location.search);
  hint.hidden = name !== "";
  add.hidden = name === "";
  products.clear();
  listing += 1;
  if (!name) return;
  attempt(() => showProducts(request(segment(name))));
  live.watch(name);
};

// Browsers send both; tools that drive a page often send only one of them.
category.addEventListener("input", choose);
category.addEventListener("change", choose);

add.addEventListener("submit", (event) => {
  event.preventDefault();
  const { name, rrp, info } = Object.fromEntries(new FormData(add));
  attempt(async () => {
    await showProducts(request(segment(category.value), { name, rrp, info }));
    live.watch(category.value);
    add.reset();
    add.elements.name.focus();
  });
});

// Until the first answer there is no socket that could tell of the server's return.
const start = async () => {
  try {
    await loadCategories();
  } catch {
    showState("offline");
    setTimeout(start, 1_000);
    return;
  }
  showState("ready");
  const wanted = [...category.options].find(({ value }) => value && `#${segment(value)}` === location.hash);
  if (wanted) {
    category.value = wanted.value;
    choose();
  }
};

start();
