// The panels that show the current state of a world.

import { button, cell, element, find, keep } from "./dom.js";
import { short } from "./time.js";

export const showClock = ({ at, paused, speed, nextDue }) => {
  find("#now").textContent = short(at);
  find("#pace").textContent =
    (paused ? "paused" : `${speed} × real time`) + (nextDue === null ? "" : `, next at ${short(nextDue)}`);
  find("#pause").textContent = paused ? "Resume" : "Pause";
};

// The last reload that was seen, and when, if the page was open at that time.
let seen = null;

export const showReload = ({ ok, count, changes, more, error, warnings }, file) => {
  const changed = changes.map(({ text }) => text).join(", ") || "no relevant changes";
  if (seen?.count !== count) seen = { count, when: seen && ` at ${new Date().toLocaleTimeString()}` };
  const last = count === 0 ? "No save has been applied yet." : `Reload ${count}${seen.when ?? ""}: ${changed}${more ? `, and ${more} more` : ""}.`;
  find("#serving").textContent = file ?? "";
  find("#reload").textContent = ok ? last : "The file is broken; the last good scenario is served.";
  find("#problems").hidden = !(error || warnings);
  find("#problems").textContent = error ?? warnings ?? "";
};

// Shows `sockets`, which may be only some of `count` open ones.
export const showSockets = (sockets, count, close) => {
  find("#count").textContent = `${count} open${count > sockets.length ? `, showing the ${sockets.length} with the largest backlog` : ""}`;
  find("#close-all").hidden = count === 0;
  const make = ({ socket }) =>
    element("tr", {}, ...Array.from({ length: 5 }, () => cell()), cell(button("Close", `Close socket ${socket}`, () => close(socket))));
  const update = (tr, { socket, category, stream, age, sent, backlog }) =>
    [socket, category ?? stream, short(age), sent, backlog].forEach((value, at) => { tr.cells[at].textContent = value; });
  keep(find("#sockets"), sockets, ({ socket }) => socket, make, update);
};

// Fills a list with options. An option that the user has selected but not submitted stays selected.
const fillSelect = (select, options, current) => {
  if (options.join("\n") !== [...select.options].map(({ value }) => value).join("\n")) {
    select.replaceChildren(...options.map((name) => new Option(name, name)));
    delete select.dataset.at;
  }
  if (select.dataset.at === current) return;
  select.dataset.at = current;
  select.value = current;
};

export const showWorlds = (names, world) => fillSelect(find("#worlds select"), [...new Set(["default", ...names, world])], world);

// The scenario file that is served.
export const served = (files) => files.find(({ serving }) => serving)?.file;

// Shows the scenario files to choose from, if there are several.
export const showFiles = (files) => {
  find("#file").hidden = files.length < 2;
  fillSelect(find("#file select"), files.map(({ file }) => file), served(files));
};
