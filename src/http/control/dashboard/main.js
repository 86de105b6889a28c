// The dashboard: asks for a world once a second, shows it, and does to it what the user says.

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

const EVERY = 1_000;
const SOCKETS_SHOWN = 100;

// A text in brief that is as long as this may be the beginning of a longer one.
const CUT = 200;

// Characters that no body in the journal exceeds.
const WHOLE = 65_536;

// How long somebody who may not ask waits until the next try.
const EVERY_WHEN_REFUSED = 10_000;

// Changes of a reload that are told.
const CHANGES_SHOWN = 6;

const [status, error] = ["#status", "#error"].map(find);

let state = null;
// The same, as long as totals that change can be added to it.
let known = null;
// How many reloads there were by then.
let reloads = null;
let asking = Promise.resolve();

// Does what the user asked for, shows what went wrong with it, if anything did, and what is so now.
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
  if (entry?.sequence !== sequence) throw new Error("the journal has forgotten that entry");
  return entry;
};

// The text of a body as it came: what it says as JSON is not all of it.
const sent = async ({ sequence }) => {
  const { entries: [entry] } = await call("GET", `journal?brief=true&text=${WHOLE}&after=${sequence - 1}&limit=1`);
  return entry?.text;
};

const steps = new Steps();

// The path of an order or of a new product. The journal decodes it, so an id may have slashes in it.
const DONE = /^\/(?:orders\/(?<product>.+?)|(?<category>(?!__mockd)[^/]+))\/?$/s;

// What clients of the mock did, which the journal tells of: orders and new products.
const take = async (entry) => {
  const { product: ordered, category } = entry.path.match(DONE).groups;
  const body = entry.text.length < CUT ? JSON.parse(entry.text) : (await inFull(entry)).body;
  const { id, ...product } = body;
  steps.add(entry.at, ordered ? { product: ordered, amount: body.amount } : { add: { category, product } });
};

// A route that the scenario declares is none of the shop's.
const isDone = ({ method, path, route, status: code, text }) =>
  method === "POST" && route === undefined && code === 200 && text !== undefined && DONE.test(path);

const journal = new Journal({
  open: (entry) => attempt(async () => showEntry(await inFull(entry), await sent(entry))),
  // One that the journal has lost already is no loss here.
  answered: (entries) => entries.filter(isDone).slice(-KEPT).forEach((entry) => take(entry).catch(() => {})),
});

const order = async (id, amount, times) => {
  const { events: [event] } = await call("POST", "orders", { orders: Array.from({ length: times }, () => ({ id, amount })) });
  steps.add(event.at, { product: id, amount, ...(times > 1 && { times }) });
};

const products = new Products({
  order: (id, amount, times) => attempt(() => order(id, amount, times)),
  add: (category, text) => attempt(() => call("POST", `../${encodeURIComponent(category)}`, text)),
});

// Text that is JSON, as it is: what is read and written again may have other numbers.
const json = (text) => {
  JSON.parse(text);
  return text;
};

const named = (name, text) => `{${JSON.stringify(name)}:${json(text)}}`;

// A text that says itself where expressions may stand.
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
  bring: (fault) => attempt(() => bring(fault)),
  lift: (id, fault) => attempt(async () => {
    await call("DELETE", `faults/${id}`);
    steps.lifted((await call("GET", "clock")).at, fault);
  }),
});

const bring = async (fault) => {
  const brought = await call("POST", "faults", fault);
  // From then on all its times count.
  const { at } = await call("GET", "clock");
  steps.add(brought.fault.from === undefined ? brought.from : at, { fault: brought.fault });
  note(brought.warnings?.join(" ") ?? "");
};

const timeline = new Timeline((at) => attempt(() => call("POST", "clock", { advance_to: at })));

// A screen reader says it again each time that it is written.
const say = (is, text) => {
  status.dataset.state = is;
  if (status.textContent !== text) status.textContent = text;
};

// The state, for which only totals that changed since the last one are asked, unless others may have changed as well.
const askState = async () => {
  if (known === null) return call("GET", "state");
  const { totals, sequence, epoch, categories } = known;
  const now = await call("GET", `state?since=${sequence}`);
  const goesOn = now.sequence >= sequence && now.epoch === epoch;
  if (!goesOn || JSON.stringify(now.categories) !== JSON.stringify(categories)) return call("GET", "state");
  return { ...now, totals: { ...totals, ...now.totals } };
};

const show = async ([asked, , { sockets }, { faults: list }, lines, reload, { worlds }, { scenarios: files }]) => {
  const now = reload.count === (reloads ?? reload.count) ? asked : await call("GET", "state");
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

const questions = () => Promise.all([
  askState(),
  journal.follow(call),
  call("GET", `sockets?sort=backlog&limit=${SOCKETS_SHOWN}`),
  call("GET", "faults"),
  call("GET", "timeline"),
  call("GET", `reload?limit=${CHANGES_SHOWN}`),
  call("GET", "worlds"),
  call("GET", "scenarios"),
]);

const ask = async () => {
  try {
    await show(await questions());
    say("live", "Live");
    find("#token").hidden = true;
  } catch (problem) {
    // Another server may answer next.
    for (const part of [products, data, routes]) part.forget();
    known = null;
    const isRefused = problem.status === 401 || problem.status === 403;
    say(isRefused ? "refused" : "offline", isRefused ? problem.message : `Not live, trying again: ${problem.message}`);
    find("#token").hidden = problem.status !== 401;
  }
};

// One question at a time; whoever wants an answer now waits for the one that is under way, and then asks.
const refresh = () => {
  asking = asking.then(ask);
  return asking;
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
submit("#fault", ({ fault }) => bring(fault));
submit("#post", async ({ steps: list }) => {
  const happened = find("#happened");
  happened.hidden = true;
  happened.textContent = JSON.stringify(await call("POST", "steps", list), null, 2);
  happened.hidden = false;
});
submit("#token", async ({ token }) => useToken(token));
submit("#worlds", ({ name }) => location.assign(`${rootOf(name)}/__mockd/`));
submit("#file", async ({ file }) => {
  // Whatever becomes of it, the list says what is served then.
  delete find("#file select").dataset.at;
  await call("POST", "scenarios", { file });
});

const run = async () => {
  // A page that nobody looks at asks for nothing.
  if (!document.hidden) await refresh();
  setTimeout(run, status.dataset.state === "refused" ? EVERY_WHEN_REFUSED : EVERY);
};
run();
