// The dashboard: asks for a world once a second, shows it, and does to it what the user says.

import { call, dashboardOf, useToken, world } from "./api.js";
import { find, said } from "./dom.js";
import { showEntry } from "./entry.js";
import { Faults } from "./faults.js";
import { Journal } from "./journal.js";
import { showClock, showFiles, showReload, showSockets, showWorlds } from "./panels.js";
import { Products } from "./products.js";
import { KEPT, Steps } from "./steps.js";
import { Timeline } from "./timeline.js";

const EVERY = 1_000;
const SOCKETS_SHOWN = 100;

// A text in brief that is as long as this may be the beginning of a longer one.
const CUT = 200;

const [status, error] = ["#status", "#error"].map(find);

let state = null;
let asking = Promise.resolve();

// Does what the user asked for, shows what went wrong with it, if anything did, and what is so now.
const attempt = async (action) => {
  try {
    await action();
    error.textContent = "";
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

const steps = new Steps();

// What clients of the mock did, which the journal tells of: orders and new products.
const note = async (entry) => {
  const [first, second] = entry.path.split("/").slice(1).map(decodeURIComponent);
  const body = entry.text.length < CUT ? JSON.parse(entry.text) : (await inFull(entry)).body;
  const { id, ...product } = body;
  steps.add(entry.at, first === "orders" ? { product: second, amount: body.amount } : { add: { category: first, product } });
};

const isDone = ({ method, path, status: code, text }) =>
  method === "POST" && code === 200 && text !== undefined && /^\/(orders\/[^/]+|(?!__mockd)[^/]+)\/?$/.test(path);

const journal = new Journal({
  open: (entry) => attempt(async () => showEntry(await inFull(entry))),
  // One that the journal has lost already is no loss here.
  answered: (entries) => entries.filter(isDone).slice(-KEPT).forEach((entry) => note(entry).catch(() => {})),
});

const order = async (id, amount, times) => {
  const { events: [event] } = await call("POST", "orders", { orders: Array.from({ length: times }, () => ({ id, amount })) });
  steps.add(event.at, { product: id, amount, ...(times > 1 && { times }) });
};

const products = new Products({
  order: (id, amount, times) => attempt(() => order(id, amount, times)),
  add: (category, text) => attempt(() => call("POST", `../${encodeURIComponent(category)}`, text)),
});

const faults = new Faults({
  bring: (fault) => attempt(() => bring(fault)),
  lift: (id, fault) => attempt(async () => {
    await call("DELETE", `faults/${id}`);
    steps.lifted((await call("GET", "clock")).at, fault);
  }),
});

const bring = async (fault) => {
  const brought = await call("POST", "faults", fault);
  steps.add(brought.from, { fault: brought.fault });
};

const timeline = new Timeline((at) => attempt(() => call("POST", "clock", { advance_to: at })));

// A screen reader says it again each time that it is written.
const say = (is, text) => {
  status.dataset.state = is;
  if (status.textContent !== text) status.textContent = text;
};

const show = async (now, sockets, list, lines, reload, worlds, files) => {
  state = now;
  find("#title").textContent = now.scenario;
  document.title = `${now.scenario} – mockd`;
  if (products.isStale(now, reload)) products.list((await call("GET", "products")).categories);
  products.show(now.totals, now.sequence);
  showClock(now);
  timeline.show(lines);
  showSockets(sockets, now.sockets, (socket) => attempt(() => call("POST", `sockets/${socket}/close`, {})));
  faults.show(list);
  showReload(reload);
  showWorlds(worlds.map(({ name }) => name), world);
  showFiles(files);
};

const ask = async () => {
  try {
    const [now, , { sockets }, list, lines, reload, { worlds }, { scenarios }] = await Promise.all([
      call("GET", "state"),
      journal.follow(call),
      call("GET", `sockets?limit=${SOCKETS_SHOWN}`),
      call("GET", "faults"),
      call("GET", "timeline"),
      call("GET", "reload"),
      call("GET", "worlds"),
      call("GET", "scenarios"),
    ]);
    await show(now, sockets, list.faults, lines, reload, worlds, scenarios);
    say("live", "Live");
    find("#token").hidden = true;
  } catch (problem) {
    const isRefused = problem.status === 401 || problem.status === 403;
    say(isRefused ? "refused" : "offline", isRefused ? problem.message : `No answer, trying again: ${problem.message}`);
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
  steps.clear();
});
press("#clear", async () => {
  await call("DELETE", "journal");
  journal.clear();
});
press("#close-all", () => call("POST", "sockets/close", {}));
submit("#advance", ({ by }) => call("POST", "clock", { advance: by }));
submit("#speed", ({ speed }) => call("POST", "clock", { speed: Number(speed) }));
submit("#fault", ({ fault }) => bring(fault));
submit("#token", async ({ token }) => useToken(token));
find("#world").addEventListener("change", ({ target }) => location.assign(dashboardOf(target.value)));
find("#file select").addEventListener("change", ({ target }) => {
  target.blur();
  attempt(() => call("POST", "scenarios", { file: target.value }));
});

const run = async () => {
  // A page that nobody looks at asks for nothing, and neither does one that is not allowed to.
  if (!document.hidden && status.dataset.state !== "refused") await refresh();
  setTimeout(run, EVERY);
};
run();
