// The control API of the world in whose path the page is.

const base = new URL(".", location.href);

export const world = decodeURIComponent(base.pathname.match(/\/@([^/]+)\/__mockd\/$/)?.[1] ?? "default");

// Where the dashboard of another world is.
export const dashboardOf = (name) => {
  const root = base.pathname.replace(/(\/@[^/]+)?\/__mockd\/$/, "");
  return name === "default" ? `${root}/__mockd/` : `${root}/@${encodeURIComponent(name)}/__mockd/`;
};

export const call = async (method, path, payload) => {
  const options = { method, headers: {} };
  if (payload !== undefined) {
    options.headers["content-type"] = "application/json";
    options.body = typeof payload === "string" ? payload : JSON.stringify(payload);
  }
  const response = await fetch(new URL(path, base), options);
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.message ?? response.statusText);
  return answer;
};
