// The shop: choose a category, see its products with live order totals, order, and add products. Without a shop, what is
// served instead.
// The API is where the page comes from, or what `?api=http://localhost:3000` says.

import { LiveOrders } from "./live.js";
import { Overview } from "./overview.js";
import { ProductList } from "./products.js";

// How often it is looked what is served, as long as there is no shop whose socket would tell.
const EVERY = 2_000;

// `localhost:3000` means a server, whatever a URL parser would take it for.
const given = new URLSearchParams(location.search).get("api") ?? ".";
const api = new URL(/^(https?:|[./])/.test(given) ? given : `http://${given}`, location.href);
if (!api.pathname.endsWith("/")) api.pathname += "/";

const find = (selector) => document.querySelector(selector);
const [title, status, shop, category, hint, add, served, error] =
  ["#title", "#status", "#shop", "#category", "#hint", "#add", "#served", "#error"].map(find);
find("#dashboard").href = new URL("__mockd/", api);

// Answers that come after a later request of the same kind are not shown.
let listing = 0;
let chosen = "";
let wasLive = false;

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

const states = {
  live: () => "Live",
  offline: () => (wasLive ? "Connection lost, reconnecting…" : `Cannot reach ${api.href}, trying again…`),
};

const say = (state) => {
  wasLive ||= state === "live";
  status.dataset.state = state;
  const text = states[state]();
  // A screen reader says it again each time that it is written.
  if (status.textContent !== text) status.textContent = text;
};

// Open as long as there is a shop.
let live = null;

const open = () => new LiveOrders(api, {
  order: (order) => products.total(order),
  notice: () => refresh(),
  state: (state) => {
    say(state);
    if (state === "live") refresh();
  },
});

const showCategories = (categories) => {
  const names = categories.map(({ name }) => name);
  const shown = [...category.options].slice(1).map(({ value }) => value);
  if (names.join("/") === shown.join("/")) return;
  category.replaceChildren(category.options[0], ...names.map((name) => new Option(label(name), name)));
  const wanted = chosen || names.find((name) => `#${segment(name)}` === location.hash);
  category.value = names.includes(wanted) ? wanted : "";
  choose();
};

const label = (name) => name.charAt(0).toUpperCase() + name.slice(1);

const overview = new Overview(api);

const load = async () => {
  const { scenario, categories } = await request("__mockd/categories");
  title.textContent = scenario;
  document.title = `${scenario} – mockd`;
  const isShop = categories.length > 0;
  [shop.hidden, served.hidden] = [!isShop, isShop];
  if (isShop) live ??= open();
  else live = live?.close() ?? null;
  showCategories(categories);
  if (isShop) return;
  const [{ routes }, { data }] = await Promise.all([
    request("__mockd/routes"),
    // The names are for those who may control the mock.
    request("__mockd/data?rows=0").catch(() => ({ data: [] })),
  ]);
  overview.show(routes, data);
};

const showProducts = async (answer) => {
  const mine = ++listing;
  const list = await answer;
  if (mine === listing) products.show(list);
};

// Gets categories and products, without a flicker, because they may have changed or this is the start. If that fails,
// the socket fails too, and says so.
const refresh = async () => {
  try {
    const name = chosen;
    await load();
    // If the choice changed on the way, its products were asked for then.
    if (!name || name !== chosen) return;
    await showProducts(request(segment(name)));
    if (name === chosen) live.watch(name);
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
  const into = chosen;
  attempt(async () => {
    await showProducts(request(segment(into), { name, rrp, info }));
    add.reset();
    if (into !== chosen) return;
    live.watch(into);
    add.elements.name.focus();
  });
});

const look = async () => {
  try {
    await load();
    if (live === null) say("live");
  } catch {
    if (live === null) say("offline");
  }
};

const run = async () => {
  if (live === null && !document.hidden) await look();
  setTimeout(run, EVERY);
};
run();
