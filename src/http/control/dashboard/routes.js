// The routes: each with the number of its requests in the journal, and the status of the last answer.

import { cell, element, find, keep } from "./dom.js";

// The maximum number of routes that are shown.
const SHOWN = 500;

const DESCRIPTIONS = {
  answer: () => "answers",
  stream: () => "streams events",
  list: (collection) => `lists ${collection}`,
  get: (collection) => `returns one of ${collection}`,
  add: (collection) => `adds to ${collection}`,
  replace: (collection) => `replaces one of ${collection}`,
  merge: (collection) => `changes one of ${collection}`,
  remove: (collection) => `removes one of ${collection}`,
  order: () => "takes orders",
  socket: () => "opens live sockets",
};

const escaped = (text) => text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");

// The paths that a route matches. If several routes match, the one with the lowest rank wins: a literal segment
// precedes a parameter, which precedes the rest of a path.
const pattern = ({ path, parameters }) => {
  const parts = path.split("/").slice(1).map((text) => {
    const [, rest, name] = text.match(/^\{(\*?)(.+)\}$/) ?? [];
    if (!parameters.includes(name)) return ["0", escaped(text)];
    return rest ? ["2", ".+"] : ["1", "[^/]*"];
  });
  const [ranks, sources] = [0, 1].map((at) => parts.map((part) => part[at]));
  return { rank: ranks.join(""), fits: new RegExp(`^/${sources.join("/")}/?$`, "s") };
};

const keyOf = ({ method, path }) => `${method} ${path}`;

export class Routes {
  #known = "";
  // The routes, grouped by path.
  #paths = [];
  // The key of the route that a request matches, by the method and path of the request.
  #found = new Map();

  // Fetches the routes if they may have changed.
  async refresh({ scenario }, { count }, fetch) {
    const known = `${scenario} ${count}`;
    if (known === this.#known) return;
    const routes = await fetch();
    const paths = Map.groupBy(routes, ({ path }) => path);
    this.#paths = [...paths.values()].map((these) => ({ routes: these, ...pattern(these[0]) }));
    this.#paths.sort((one, other) => (one.rank < other.rank ? -1 : Number(one.rank > other.rank)));
    this.#found.clear();
    this.#known = known;
    this.#draw(routes);
  }

  forget() {
    this.#known = "";
  }

  // Counts the requests in the journal.
  show(requests) {
    const counts = new Map();
    for (const { method, path, status } of requests) {
      const key = this.#find(method, path);
      const { count, last } = counts.get(key) ?? { count: 0, last: null };
      counts.set(key, { count: count + 1, last: status ?? last });
    }
    for (const tr of find("#routes").children) {
      const { count, last } = counts.get(tr.dataset.key) ?? { count: 0, last: null };
      tr.cells[3].textContent = count;
      tr.cells[4].textContent = last ?? "";
    }
  }

  #find(method, path) {
    const request = `${method} ${path}`;
    if (!this.#found.has(request)) this.#found.set(request, this.#look(method === "HEAD" ? "GET" : method, path));
    return this.#found.get(request);
  }

  #look(method, path) {
    const { routes = [] } = this.#paths.find(({ fits }) => fits.test(path)) ?? {};
    const of = (wanted) => routes.find((route) => route.method === wanted);
    const route = method === "OPTIONS" ? undefined : of(method) ?? of("ANY");
    return route && keyOf(route);
  }

  #draw(routes) {
    find("#routes-count").textContent = `${routes.length}${routes.length > SHOWN ? `, showing the first ${SHOWN}` : ""}`;
    const make = ({ method, path }) =>
      element("tr", {}, cell(method), element("th", { scope: "row", textContent: path }), cell(), cell(), cell());
    const update = (tr, { kind, collection }) => { tr.cells[2].textContent = DESCRIPTIONS[kind](collection); };
    keep(find("#routes"), routes.slice(0, SHOWN), keyOf, make, update);
  }
}
