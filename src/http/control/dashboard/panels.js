// The panels that show a world at one moment.

import { button, cell, element, find, keep } from "./dom.js";
import { short } from "./time.js";

export const showClock = ({ at, paused, speed, nextDue }) => {
  find("#now").textContent = short(at);
  find("#pace").textContent =
    (paused ? "paused" : `${speed} × real time`) + (nextDue === null ? "" : `, next at ${nextDue}`);
  find("#pause").textContent = paused ? "Resume" : "Pause";
};

export const showReload = ({ ok, count, changes, error }) => {
  const changed = changes.map(({ text }) => text).join(", ") || "nothing that matters changed";
  const last = count === 0 ? "No save was applied yet." : `Save ${count}: ${changed}.`;
  find("#reload").textContent = ok ? last : "The file is broken; the last good scenario is served.";
  find("#problems").hidden = ok;
  find("#problems").textContent = error ?? "";
};

// The first of so many.
export const showSockets = (sockets, count, close) => {
  find("#count").textContent = `${count} open${count > sockets.length ? `, the first ${sockets.length} are shown` : ""}`;
  find("#close-all").hidden = count === 0;
  const make = ({ socket }) =>
    element("tr", {}, ...Array.from({ length: 5 }, () => cell()), cell(button("Close", `Close socket ${socket}`, () => close(socket))));
  const update = (tr, { socket, category, age, sent, backlog }) =>
    [socket, category, short(age), sent, backlog].forEach((value, at) => { tr.cells[at].textContent = value; });
  keep(find("#sockets"), sockets, ({ socket }) => socket, make, update);
};

const choose = (select, options, chosen) => {
  if (options.join("\n") !== [...select.options].map(({ value }) => value).join("\n")) {
    select.replaceChildren(...options.map((name) => new Option(name, name)));
  }
  if (document.activeElement !== select) select.value = chosen;
};

export const showWorlds = (names, world) => choose(find("#world"), [...new Set(["default", ...names, world])], world);

// The scenario files that there are to choose from, if there are several.
export const showFiles = (files) => {
  find("#file").hidden = files.length < 2;
  choose(find("#file select"), files.map(({ file }) => file), files.find(({ serving }) => serving)?.file);
};
