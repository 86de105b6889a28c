// One entry of the journal in full: headers, body, answer, what faults did to it, and the request as a curl command.

import { rootOf, world } from "./api.js";
import { cell, copy, element, find } from "./dom.js";

// What curl says by itself.
const OWN = ["host", "connection", "content-length", "accept-encoding"];

const quote = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

const written = ({ body, text, bytes }) => {
  if (body !== undefined) return JSON.stringify(body, null, 2);
  return text ?? (bytes === undefined ? null : `${bytes} bytes that are no text`);
};

// Of a request with its body as it was sent, if that is text.
const curl = ({ method, path, query, headers, bytes, cutFrom }, sent) => {
  const url = `${location.origin}${rootOf(world)}${path}${query ? `?${query}` : ""}`;
  const given = Object.entries(headers).filter(([name]) => !OWN.includes(name));
  const lacks = [
    ...(bytes === undefined ? [] : [`# Without its body: ${bytes} bytes that are no text.`]),
    ...(cutFrom === undefined ? [] : [`# With the beginning of its body alone: ${cutFrom} bytes are more than the journal keeps.`]),
  ];
  const command = [
    // A HEAD by -X would wait for a body; brackets in a URL are not meant as a pattern.
    `curl -g ${method === "HEAD" ? "-I" : `-i -X ${method}`} ${quote(url)}`,
    // One without a value would be left out.
    ...given.map(([name, value]) => `-H ${quote(value === "" ? `${name};` : `${name}: ${value}`)}`),
    ...(sent === undefined ? [] : [`--data-raw ${quote(sent)}`]),
  ].join(" \\\n  ");
  return [...lacks, command].join("\n");
};

const part = (title, content) => [element("h3", { textContent: title }), content];

const pre = (textContent) => element("pre", { textContent, tabIndex: 0 });

const table = (entries) => {
  const row = ([name, value]) => element("tr", {}, element("th", { scope: "row", textContent: name }), cell(String(value)));
  return element("table", {}, element("tbody", {}, ...entries.map(row)));
};

// Everything that is neither shown in a part of its own nor in the title.
const facts = (entry) => {
  const { sequence, at, world: name, kind, headers, body, text, bytes, answer, faults, method, path, sockets, ...rest } = entry;
  const several = sockets?.length > 20 ? `${sockets.slice(0, 20).join(", ")} and ${sockets.length - 20} more` : sockets?.join(", ");
  return Object.entries({ time: at, world: name, ...(several && { sockets: several }), ...rest });
};

const parts = (entry) => {
  const { headers, answer, faults } = entry;
  const body = written(entry);
  const answered = answer && written(answer);
  return [
    table(facts(entry)),
    ...(headers ? part("Headers", table(Object.entries(headers))) : []),
    ...(body === null ? [] : part(headers ? "Body" : "Frame", pre(body))),
    ...(answer ? part(`Answer ${answer.status}${answer.number ? `, number ${answer.number} of its route` : ""}`, answered === null ? "without a body that is kept" : pre(answered)) : []),
    ...(answer?.notes ? part("Notes", pre(answer.notes.join("\n"))) : []),
    ...(faults ? part("Faults", table(faults.map(({ fault, did }) => [fault, did]))) : []),
  ];
};

// Of a request also what was sent, letter by letter.
export const showEntry = (entry, sent) => {
  const { sequence, kind, method, path } = entry;
  find("#entry-title").textContent = `${sequence}: ${kind === "request" ? `${method} ${path}` : kind}`;
  find("#entry-content").replaceChildren(...parts(entry));
  const field = find("#curl textarea");
  find("#curl").hidden = kind !== "request";
  field.value = kind === "request" ? curl(entry, sent) : "";
  find("#entry").showModal();
};

find("#curl button").addEventListener("click", () => copy(find("#curl textarea")));
