// One request to mockd, and the error if it does not do what it is asked.
//
// node:http instead of fetch: fetch gives up after five minutes without an answer, where a wait may take ten, and test
// environments that imitate a browser replace it.

import { request as overHttp } from "node:http";
import { request as overHttps } from "node:https";

export class MockdError extends Error {
  name = "MockdError";

  constructor(message, { status, field, cause } = {}) {
    super(message, { cause });
    this.status = status;
    this.field = field;
  }
}

// Where a mockd listens, and the secret that lets us control it.
export class Connection {
  #token;

  constructor(url, token) {
    this.url = String(url).replace(/\/+$/, "");
    if (!/^https?:\/\//.test(this.url)) {
      throw new TypeError(`${url} is not the URL of a mockd; it looks like http://127.0.0.1:3000`);
    }
    this.#token = token;
  }

  // The answer's body as text, and its headers.
  async send(method, path, payload) {
    const url = new URL(this.url + path);
    const headers = {};
    if (payload !== undefined) headers["content-type"] = "application/json";
    if (this.#token) headers.authorization = `Bearer ${this.#token}`;
    const where = `${method} ${url.href}`;
    let answer;
    try {
      answer = await exchange(url, { method, headers }, payload === undefined ? "" : JSON.stringify(payload));
    } catch (cause) {
      // Where a name has several addresses, only the parts of the error say something.
      const why = cause.message || cause.errors?.map(({ message }) => message).join(", ");
      throw new MockdError(`mockd cannot be reached, is it still running? ${where}: ${why}`, { cause });
    }
    if (answer.status >= 300) throw refusal(where, answer);
    return answer;
  }

  async json(method, path, payload) {
    const { text } = await this.send(method, path, payload);
    try {
      return JSON.parse(text);
    } catch (cause) {
      const where = `${method} ${this.url}${path}`;
      throw new MockdError(`this is no mockd, its answer is not JSON: ${where}`, { cause });
    }
  }
}

function exchange(url, options, body) {
  const request = url.protocol === "https:" ? overHttps : overHttp;
  return new Promise((resolve, reject) => {
    const outgoing = request(url, options, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (part) => (text += part));
      response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, text }));
      response.on("error", reject);
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

function refusal(where, { status, text }) {
  let said;
  try {
    said = JSON.parse(text);
  } catch {
    // Something between us and mockd answered in its own way.
  }
  const { message, field } = said ?? {};
  return new MockdError(`${message ?? text} (${where} was answered with ${status})`, { status, field });
}
