// The dashboard: asks for a world once a second, shows it, and does to it what the user says.

import { call, dashboardOf, useToken, world } from "./api.js";
import { Journal } from "./journal.js";
import { showClock, showFaults, showReload, showSockets, Totals } from "./panels.js";

const EVERY = 1_000;

const find = (selector) => document.querySelector(selector);
const [status, error, worlds] = ["#status", "#error", "#world"].map(find);

const journal = new Journal();
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

const totals = new Totals((id, amount) => attempt(() => call("POST", "orders", { orders: [{ id, amount }] })));

// A screen reader says it again each time that it is written.
const say = (is, text) => {
  status.dataset.state = is;
  if (status.textContent !== text) status.textContent = text;
};

const showWorlds = (names) => {
  const all = [...new Set(["default", ...names, world])];
  if (all.join("/") === [...worlds.options].map(({ value }) => value).join("/")) return;
  worlds.replaceChildren(...all.map((name) => new Option(name, name, name === world, name === world)));
};

const ask = async () => {
  try {
    const [now, , { sockets }, { faults }, reload, list] = await Promise.all([
      call("GET", "state"),
      journal.follow(call),
      call("GET", "sockets"),
      call("GET", "faults"),
      call("GET", "reload"),
      call("GET", "worlds"),
    ]);
    state = now;
    find("#title").textContent = now.scenario;
    document.title = `${now.scenario} – mockd`;
    showClock(now);
    totals.show(now.totals, now.sequence);
    showSockets(sockets, (socket) => attempt(() => call("POST", `sockets/${socket}/close`, {})));
    showFaults(faults, (fault) => attempt(() => call("DELETE", `faults/${fault}`)));
    showReload(reload);
    showWorlds(list.worlds.map(({ name }) => name));
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
  attempt(() => action(Object.fromEntries(new FormData(event.target))));
});

find("#pause").addEventListener("click", () => attempt(() => call("POST", "clock", state?.paused ? { resume: true } : { pause: true })));
find("#step").addEventListener("click", () => attempt(() => call("POST", "clock", { step: 1 })));
find("#reset").addEventListener("click", () => attempt(async () => {
  await call("POST", "reset", {});
  journal.clear();
}));
submit("#advance", ({ by }) => call("POST", "clock", { advance: by }));
submit("#speed", ({ speed }) => call("POST", "clock", { speed: Number(speed) }));
submit("#fault", ({ fault }) => call("POST", "faults", fault));
worlds.addEventListener("change", () => location.assign(dashboardOf(worlds.value)));

submit("#token", async ({ token }) => useToken(token));

const run = async () => {
  // A page that nobody looks at asks for nothing, and neither does one that is not allowed to.
  if (!document.hidden && status.dataset.state !== "refused") await refresh();
  setTimeout(run, EVERY);
};
run();
