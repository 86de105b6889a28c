// The dashboard: fetches the state of a world once a second, shows it, and carries out what the user requests.

import { call, rootOf, useToken, world } from "./api.js";
import { Data } from "./data.js";
import { find, note, said } from "./dom.js";
import { showEntry } from "./entry.js";
import { Faults } from "./faults.js";
import { Journal } from "./journal.js";
import { served, showClock, showFiles, showReload, showSockets, showWorlds } from "./panels.js";
import { Products } from "./products.js";
import { Routes } from "./routes.js";
import { KEPT, Steps } from "./steps.js";
import { Timeline } from "./timeline.js";

// Milliseconds between two updates.
const INTERVAL = 1_000;
const SOCKETS_SHOWN = 100;

// The length to which the journal cuts the texts of brief entries. A text of this length may have been cut.
const CUT = 200;

// The maximum length of a body in the journal, in characters.
const MAX_BODY = 65_536;

// Milliseconds between two updates while the API refuses requests.
const REFUSED_INTERVAL = 10_000;

// The number of changes of a reload that are shown.
const CHANGES_SHOWN = 6;

const [status, error] = ["#status", "#error"].map(find);

let state = null;
// The same state, or null if changed totals cannot be merged into it.
let known = null;
// The number of reloads at that state.
let reloads = null;
let updating = Promise.resolve();

// Carries out an action of the user, shows its error if it fails, and then shows the current state.
const attempt = async (action) => {
  error.textContent = "";
  note("");
  try {
    await action();
  } catch (problem) {
    error.textContent = `That did not work: ${problem.message}`;
  }
  await refresh();
};

const inFull = async ({ sequence }) => {
  const { entries: [entry] } = await call("GET", `journal?after=${sequence - 1}&limit=1`);
  if (entry?.sequence !== sequence) throw new Error("the journal no longer has this entry");
  return entry;
};

// The text of a body as it was sent. Parsing it as JSON would lose details.
const sent = async ({ sequence }) => {
  const { entries: [entry] } = await call("GET", `journal?brief=true&text=${MAX_BODY}&after=${sequence - 1}&limit=1`);
  return entry?.text;
};

const steps = new Steps();

// The path of an order or of a new product. The journal decodes paths, so an id may contain slashes.
const SHOP_PATH = /^\/(?:orders\/(?<product>.+?)|(?<category>(?!__mockd)[^/]+))\/?$/s;

// Records an order or a new product of a client, as the journal reports it.
const record = async (entry) => {
  const { product: ordered, category } = entry.path.match(SHOP_PATH).groups;
  const body = entry.text.length < CUT ? JSON.parse(entry.text) : (await inFull(entry)).body;
  const { id, ...product } = body;
  steps.add(entry.at, ordered ? { product: ordered, amount: body.amount } : { add: { category, product } });
};

// Requests to declared routes do not belong to the shop.
const isShopChange = ({ method, path, route, status: code, text }) =>
  method === "POST" && route === undefined && code === 200 && text !== undefined && SHOP_PATH.test(path);

const journal = new Journal({
  open: (entry) => attempt(async () => showEntry(await inFull(entry), await sent(entry))),
  // Entries that the journal has already dropped are not recorded.
  answered: (entries) => entries.filter(isShopChange).slice(-KEPT).forEach((entry) => record(entry).catch(() => {})),
});

const order = async (id, amount, times) => {
  const { events: [event] } = await call("POST", "orders", { orders: Array.from({ length: times }, () => ({ id, amount })) });
  steps.add(event.at, { product: id, amount, ...(times > 1 && { times }) });
};

const products = new Products({
  order: (id, amount, times) => attempt(() => order(id, amount, times)),
  add: (category, text) => attempt(() => call("POST", `../${encodeURIComponent(category)}`, text)),
});

// Checks that a text is JSON and returns it unchanged, since parsing and serializing it could change numbers.
const json = (text) => {
  JSON.parse(text);
  return text;
};

const named = (name, text) => `{${JSON.stringify(name)}:${json(text)}}`;

// Escapes an id so that the scenario language does not read expressions in it.
const literal = (id) =>
  (typeof id === "string" ? id.replace(/\$|\{\{/g, (sign) => (sign === "$" ? "$$" : "{{ '{{' }}")) : id);

const data = new Data({
  set: (name, text) => attempt(() => call("PATCH", "state", `{"data":${named(name, text)}}`)),
  add: (name, text) => attempt(() => call("POST", "steps", `{"do":[{"add":${named(name, text)}}]}`)),
  remove: (name, id) => attempt(() => call("POST", "steps", { do: [{ remove: { [name]: literal(id) } }] })),
  more: () => refresh(),
});

const routes = new Routes();

const faults = new Faults({
  add: (fault) => attempt(() => addFault(fault)),
  remove: (id, fault) => attempt(async () => {
    await call("DELETE", `faults/${id}`);
    steps.endFault((await call("GET", "clock")).at, fault);
  }),
});

const addFault = async (fault) => {
  const added = await call("POST", "faults", fault);
  // The times of a fault count from the moment when it is added.
  const { at } = await call("GET", "clock");
  steps.add(added.fault.from === undefined ? added.from : at, { fault: added.fault });
  note(added.warnings?.join(" ") ?? "");
};

const timeline = new Timeline((at) => attempt(() => call("POST", "clock", { advance_to: at })));

// Screen readers announce the text each time it is written, so this writes only changes.
const showStatus = (kind, text) => {
  status.dataset.state = kind;
  if (status.textContent !== text) status.textContent = text;
};

// Fetches the state, with only the totals that changed since the last one where possible.
const fetchState = async () => {
  if (known === null) return call("GET", "state");
  const { totals, sequence, epoch, categories } = known;
  const now = await call("GET", `state?since=${sequence}`);
  const continues = now.sequence >= sequence && now.epoch === epoch;
  if (!continues || JSON.stringify(now.categories) !== JSON.stringify(categories)) return call("GET", "state");
  return { ...now, totals: { ...totals, ...now.totals } };
};

const show = async ([fetched, , { sockets }, { faults: list }, lines, reload, { worlds }, { scenarios: files }]) => {
  const now = reload.count === (reloads ?? reload.count) ? fetched : await call("GET", "state");
  [state, known, reloads] = [now, now, reload.count];
  find("#title").textContent = now.scenario;
  document.title = `${now.scenario} – mockd`;
  for (const section of document.querySelectorAll("[data-shop]")) section.hidden = now.categories.length === 0;
  await products.refresh(now, reload, async () => (await call("GET", "products")).categories);
  products.show(now.totals, now.sequence);
  await data.refresh(now, reload, async (query) => (await call("GET", `data?${query}`)).data);
  await routes.refresh(now, reload, async () => (await call("GET", "routes")).routes);
  routes.show(journal.requests);
  showClock(now);
  timeline.show(lines);
  steps.see(now.at, lines);
  showSockets(sockets, now.sockets, (socket) => attempt(() => call("POST", `sockets/${socket}/close`, {})));
  faults.show(list);
  showReload(reload, served(files));
  showWorlds(worlds.map(({ name }) => name), world);
  showFiles(files);
};

const fetchAll = () => Promise.all([
  fetchState(),
  journal.follow(call),
  call("GET", `sockets?sort=backlog&limit=${SOCKETS_SHOWN}`),
  call("GET", "faults"),
  call("GET", "timeline"),
  call("GET", `reload?limit=${CHANGES_SHOWN}`),
  call("GET", "worlds"),
  call("GET", "scenarios"),
]);

const update = async () => {
  try {
    await show(await fetchAll());
    showStatus("live", "Live");
    find("#token").hidden = true;
  } catch (problem) {
    // The next answer may come from another server.
    for (const part of [products, data, routes]) part.forget();
    known = null;
    const isRefused = problem.status === 401 || problem.status === 403;
    showStatus(isRefused ? "refused" : "offline", isRefused ? problem.message : `Offline, retrying: ${problem.message}`);
    find("#token").hidden = problem.status !== 401;
  }
};

// Updates once the running update, if any, is done.
const refresh = () => {
  updating = updating.then(update);
  return updating;
};

const submit = (form, action) => find(form).addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(() => action(said(event.target)));
});

const press = (selector, action) => find(selector).addEventListener("click", () => attempt(action));

press("#pause", () => call("POST", "clock", state?.paused ? { resume: true } : { pause: true }));
press("#step", () => call("POST", "clock", { step: 1 }));
press("#reset", async () => {
  await call("POST", "reset", {});
  journal.clear();
});
press("#clear", async () => {
  await call("DELETE", "journal");
  journal.clear();
});
press("#close-all", () => call("POST", "sockets/close", {}));
submit("#advance", ({ by }) => call("POST", "clock", { advance: by }));
submit("#speed", ({ speed }) => call("POST", "clock", { speed: Number(speed) }));
submit("#fault", ({ fault }) => addFault(fault));
submit("#post", async ({ steps: list }) => {
  const happened = find("#happened");
  happened.hidden = true;
  happened.textContent = JSON.stringify(await call("POST", "steps", list), null, 2);
  happened.hidden = false;
});
submit("#token", async ({ token }) => useToken(token));
submit("#worlds", ({ name }) => location.assign(`${rootOf(name)}/__mockd/`));
submit("#file", async ({ file }) => {
  // Even if the switch fails, the list then shows what is served.
  delete find("#file select").dataset.at;
  await call("POST", "scenarios", { file });
});

const run = async () => {
  // A hidden page does not update.
  if (!document.hidden) await refresh();
  setTimeout(run, status.dataset.state === "refused" ? REFUSED_INTERVAL : INTERVAL);
};
run();
