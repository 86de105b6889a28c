// One entry of the journal in full: headers, body, answer, the faults that hit it, and the request as a curl command.

import { rootOf, world } from "./api.js";
import { cell, copy, element, find } from "./dom.js";

// Headers that curl sets on its own.
const CURL_HEADERS = ["host", "connection", "content-length", "accept-encoding"];

const quote = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

const written = ({ body, text, bytes }) => {
  if (body !== undefined) return JSON.stringify(body, null, 2);
  return text ?? (bytes === undefined ? null : `${bytes} bytes of binary data`);
};

// The curl command of a request, with the body as it was sent if that is text.
const curl = ({ method, path, query, headers, bytes, cutFrom }, sent) => {
  const url = `${location.origin}${rootOf(world)}${path}${query ? `?${query}` : ""}`;
  const given = Object.entries(headers).filter(([name]) => !CURL_HEADERS.includes(name));
  const comments = [
    ...(bytes === undefined ? [] : [`# The body is missing: ${bytes} bytes of binary data.`]),
    ...(cutFrom === undefined ? [] : [`# The body is incomplete: the journal keeps only the beginning of its ${cutFrom} bytes.`]),
  ];
  const command = [
    // With -X, a HEAD would wait for a body; -g stops curl from reading brackets in the URL as a pattern.
    `curl -g ${method === "HEAD" ? "-I" : `-i -X ${method}`} ${quote(url)}`,
    // Without the semicolon, curl would omit a header that has no value.
    ...given.map(([name, value]) => `-H ${quote(value === "" ? `${name};` : `${name}: ${value}`)}`),
    ...(sent === undefined ? [] : [`--data-raw ${quote(sent)}`]),
  ].join(" \\\n  ");
  return [...comments, command].join("\n");
};

const part = (title, content) => [element("h3", { textContent: title }), content];

const pre = (textContent) => element("pre", { textContent, tabIndex: 0 });

const table = (entries) => {
  const row = ([name, value]) => element("tr", {}, element("th", { scope: "row", textContent: name }), cell(String(value)));
  return element("table", {}, element("tbody", {}, ...entries.map(row)));
};

// All fields that are shown neither in the title nor in a part of their own.
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
    ...(answer ? part(`Answer ${answer.status}${answer.number ? `, number ${answer.number} of its route` : ""}`, answered === null ? "no body recorded" : pre(answered)) : []),
    ...(answer?.notes ? part("Notes", pre(answer.notes.join("\n"))) : []),
    ...(faults ? part("Faults", table(faults.map(({ fault, did }) => [fault, did]))) : []),
  ];
};

// Shows an entry. For a request, `sent` is the text of its body exactly as it was sent.
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
