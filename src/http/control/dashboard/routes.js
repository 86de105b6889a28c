// What is served: each route with its requests, as far as the journal has them, and the status of the last answer.

import { cell, element, find, keep } from "./dom.js";

// More of them than anybody reads.
const SHOWN = 500;

const SAYS = {
  answer: () => "answers",
  stream: () => "streams events",
  list: (collection) => `lists ${collection}`,
  get: (collection) => `one of ${collection}`,
  add: (collection) => `adds to ${collection}`,
  replace: (collection) => `replaces one of ${collection}`,
  merge: (collection) => `changes one of ${collection}`,
  remove: (collection) => `removes one of ${collection}`,
  order: () => "takes orders",
  socket: () => "opens live sockets",
};

const escaped = (text) => text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");

// Which paths a route is for. Of several that fit, the one with the lowest rank is meant: a literal segment wins over a
// parameter, and that over all that is left.
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
  // Those of one path together.
  #paths = [];
  // The key of the route that a request is for, by its method and path.
  #found = new Map();

  // Fetches the routes if others may be served.
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

  // Counts the requests that the journal has.
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
    find("#routes-count").textContent = `${routes.length}${routes.length > SHOWN ? `, the first ${SHOWN} are shown` : ""}`;
    const make = ({ method, path }) =>
      element("tr", {}, cell(method), element("th", { scope: "row", textContent: path }), cell(), cell(), cell());
    const update = (tr, { kind, collection }) => { tr.cells[2].textContent = SAYS[kind](collection); };
    keep(find("#routes"), routes.slice(0, SHOWN), keyOf, make, update);
  }
}
