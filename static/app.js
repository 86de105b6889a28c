// The shop: select a category, watch the order totals of its products, place orders, and add products. If the scenario
// has no shop, the page lists its routes and data instead.
// The API is the server that the page comes from, or the one in `?api=http://localhost:3000`.

import { LiveOrders } from "./live.js";
import { Overview } from "./overview.js";
import { ProductList } from "./products.js";

// How often to poll for changes while there is no shop, whose socket would send notices, in milliseconds.
const POLL_INTERVAL = 2_000;

// `localhost:3000` means a host, although a URL parser would read `localhost:` as a scheme.
const given = new URLSearchParams(location.search).get("api") ?? ".";
const api = new URL(/^(https?:|[./])/.test(given) ? given : `http://${given}`, location.href);
if (!api.pathname.endsWith("/")) api.pathname += "/";

const find = (selector) => document.querySelector(selector);
const [title, status, shop, category, hint, add, served, error] =
  ["#title", "#status", "#shop", "#category", "#hint", "#add", "#served", "#error"].map(find);
find("#dashboard").href = new URL("__mockd/", api);

// The number of the latest list request. Answers to earlier ones are not shown.
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

// Runs a user's action and shows its error, if any.
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

const showState = (state) => {
  wasLive ||= state === "live";
  status.dataset.state = state;
  const text = states[state]();
  // Screen readers announce the text each time it is set.
  if (status.textContent !== text) status.textContent = text;
};

// The socket, open while there is a shop.
let live = null;

const open = () => new LiveOrders(api, {
  order: (order) => products.total(order),
  notice: () => refresh(),
  state: (state) => {
    showState(state);
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
    // Only clients that may control the mock can read the names of its data.
    request("__mockd/data?rows=0").catch(() => ({ data: [] })),
  ]);
  overview.show(routes, data);
};

const showProducts = async (answer) => {
  const mine = ++listing;
  const list = await answer;
  if (mine === listing) products.show(list);
};

// Loads categories and products at the start and after a change, without flickering. If the request fails, the socket
// fails too and shows the state.
const refresh = async () => {
  try {
    const name = chosen;
    await load();
    // If the selection has changed in the meantime, `choose` has requested the products.
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

// Browsers fire both events; tools that drive a page often fire only one.
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

const poll = async () => {
  try {
    await load();
    if (live === null) showState("live");
  } catch {
    if (live === null) showState("offline");
  }
};

const pollForever = async () => {
  if (live === null && !document.hidden) await poll();
  setTimeout(pollForever, POLL_INTERVAL);
};
pollForever();
