// The control API of the world that the page's path names.

const base = new URL(".", location.href);
const TOKEN = "mockd-token";

// Milliseconds until a request times out. A long advance takes a while.
const TIMEOUT = 30_000;

export const world = decodeURIComponent(base.pathname.match(/\/@([^/]+)\/__mockd\/$/)?.[1] ?? "default");

// The prefix of a world's paths.
export const rootOf = (name) => {
  const root = base.pathname.replace(/(\/@[^/]+)?\/__mockd\/$/, "");
  return name === "default" ? root : `${root}/@${encodeURIComponent(name)}`;
};

// Kept while the tab is open.
export const useToken = (token) => sessionStorage.setItem(TOKEN, token);

export const call = async (method, path, payload) => {
  const options = { method, headers: {}, signal: AbortSignal.timeout(TIMEOUT) };
  const token = sessionStorage.getItem(TOKEN);
  if (token !== null) options.headers.authorization = `Bearer ${token}`;
  if (payload !== undefined) {
    options.headers["content-type"] = "application/json";
    options.body = typeof payload === "string" ? payload : JSON.stringify(payload);
  }
  const response = await fetch(new URL(path, base), options);
  const answer = await response.json();
  if (!response.ok) throw Object.assign(new Error(answer.message ?? response.statusText), { status: response.status });
  return answer;
};
