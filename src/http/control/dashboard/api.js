// The control API of the world in whose path the page is.

const base = new URL(".", location.href);
const TOKEN = "mockd-token";

// How long an answer may take. To advance far takes a while.
const PATIENCE = 30_000;

export const world = decodeURIComponent(base.pathname.match(/\/@([^/]+)\/__mockd\/$/)?.[1] ?? "default");

// What the paths of a world begin with.
export const rootOf = (name) => {
  const root = base.pathname.replace(/(\/@[^/]+)?\/__mockd\/$/, "");
  return name === "default" ? root : `${root}/@${encodeURIComponent(name)}`;
};

// Kept for as long as the tab is open.
export const useToken = (token) => sessionStorage.setItem(TOKEN, token);

export const call = async (method, path, payload) => {
  const options = { method, headers: {}, signal: AbortSignal.timeout(PATIENCE) };
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
