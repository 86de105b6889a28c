// The panels that show a world at one moment.

import { button, cell, element, find, keep } from "./dom.js";
import { short } from "./time.js";

export const showClock = ({ at, paused, speed, nextDue }) => {
  find("#now").textContent = short(at);
  find("#pace").textContent =
    (paused ? "paused" : `${speed} × real time`) + (nextDue === null ? "" : `, next at ${short(nextDue)}`);
  find("#pause").textContent = paused ? "Resume" : "Pause";
};

// Which reload was seen last, and when, if this page was there.
let seen = null;

export const showReload = ({ ok, count, changes, more, error, warnings }, file) => {
  const changed = changes.map(({ text }) => text).join(", ") || "nothing that matters changed";
  if (seen?.count !== count) seen = { count, when: seen && ` at ${new Date().toLocaleTimeString()}` };
  const last = count === 0 ? "No save was applied yet." : `Reload ${count}${seen.when ?? ""}: ${changed}${more ? `, and ${more} more` : ""}.`;
  find("#serving").textContent = file ?? "";
  find("#reload").textContent = ok ? last : "The file is broken; the last good scenario is served.";
  find("#problems").hidden = !(error || warnings);
  find("#problems").textContent = error ?? warnings ?? "";
};

// Some of so many.
export const showSockets = (sockets, count, close) => {
  find("#count").textContent = `${count} open${count > sockets.length ? `, the ${sockets.length} that are most behind are shown` : ""}`;
  find("#close-all").hidden = count === 0;
  const make = ({ socket }) =>
    element("tr", {}, ...Array.from({ length: 5 }, () => cell()), cell(button("Close", `Close socket ${socket}`, () => close(socket))));
  const update = (tr, { socket, category, stream, age, sent, backlog }) =>
    [socket, category ?? stream, short(age), sent, backlog].forEach((value, at) => { tr.cells[at].textContent = value; });
  keep(find("#sockets"), sockets, ({ socket }) => socket, make, update);
};

// One that somebody has chosen, and not gone to yet, stays chosen.
const choose = (select, options, chosen) => {
  if (options.join("\n") !== [...select.options].map(({ value }) => value).join("\n")) {
    select.replaceChildren(...options.map((name) => new Option(name, name)));
    delete select.dataset.at;
  }
  if (select.dataset.at === chosen) return;
  select.dataset.at = chosen;
  select.value = chosen;
};

export const showWorlds = (names, world) => choose(find("#worlds select"), [...new Set(["default", ...names, world])], world);

// The one that is served.
export const served = (files) => files.find(({ serving }) => serving)?.file;

// The scenario files that there are to choose from, if there are several.
export const showFiles = (files) => {
  find("#file").hidden = files.length < 2;
  choose(find("#file select"), files.map(({ file }) => file), served(files));
};
