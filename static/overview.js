// The overview of a mock without a shop: its paths with their methods, and the names of its data.

const LABELS = { stream: "server-sent events", socket: "live sockets" };

const element = (name, properties, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};

const size = (count) => (count === undefined ? "a value" : count === 1 ? "1 row" : `${count} rows`);

export class Overview {
  #routes = document.querySelector("#routes");
  #data = document.querySelector("#data");
  #shown = "";

  // `api` is the base URL of the mock.
  constructor(api) {
    this.api = api;
  }

  // Shows routes and data. `data` is empty for clients that may not read it.
  show(routes, data) {
    const shown = JSON.stringify([routes, data]);
    // Unchanged content is kept, so that it does not lose the focus.
    if (shown === this.#shown) return;
    this.#shown = shown;
    const paths = new Map();
    for (const route of routes) paths.set(route.path, [...(paths.get(route.path) ?? []), route]);
    this.#routes.replaceChildren(...[...paths.values()].map((these) => this.#path(these)));
    this.#data.replaceChildren(...data.map(({ name, count }) =>
      element("li", {}, element("code", { textContent: name }), element("span", { textContent: size(count) }))));
    document.querySelector("#nothing").hidden = routes.length > 0;
    document.querySelector("#data-title").hidden = data.length === 0;
  }

  // Returns the item for a path, with a link if a browser can open it.
  #path(routes) {
    const [{ path, parameters }] = routes;
    const isReadable = ({ method, kind }) => kind !== "socket" && (method === "GET" || method === "ANY");
    const isPage = parameters.length === 0 && routes.some(isReadable);
    const target = new URL(path.split("/").slice(1).map(encodeURIComponent).join("/"), this.api);
    const label = ({ kind, collection }) => LABELS[kind] ?? (collection === undefined ? [] : `rows of ${collection}`);
    return element("li", {},
      element("span", { className: "methods", textContent: routes.map(({ method }) => method).join(" ") }),
      isPage ? element("a", { href: target.href, textContent: path }) : element("code", { textContent: path }),
      element("span", { textContent: [...new Set(routes.flatMap(label))].join(", ") }));
  }
}
