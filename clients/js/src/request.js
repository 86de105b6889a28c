// Requests to mockd, and the error for rejected ones.
//
// Uses node:http instead of fetch. fetch times out after five minutes without an answer, but a wait may take ten. Test
// environments that emulate a browser also replace fetch.

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

// The address of a mockd, and the secret of its control API.
export class Connection {
  #token;

  constructor(url, token) {
    this.url = String(url).replace(/\/+$/, "");
    if (!/^https?:\/\//.test(this.url)) {
      throw new TypeError(`expected a URL such as http://127.0.0.1:3000, found ${url}`);
    }
    this.#token = token;
  }

  // Returns the answer's status, headers, and body as text.
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
      // For a name with several addresses, only the nested errors have messages.
      const why = cause.message || cause.errors?.map(({ message }) => message).join(", ");
      throw new MockdError(`cannot reach mockd; is it still running? ${where}: ${why}`, { cause });
    }
    if (answer.status >= 300) throw rejection(where, answer);
    return answer;
  }

  async json(method, path, payload) {
    const { text } = await this.send(method, path, payload);
    try {
      return JSON.parse(text);
    } catch (cause) {
      const where = `${method} ${this.url}${path}`;
      throw new MockdError(`not a mockd server: the answer is not JSON: ${where}`, { cause });
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

function rejection(where, { status, text }) {
  let body;
  try {
    body = JSON.parse(text);
  } catch {
    // The answer may be from a proxy.
  }
  const { message, field } = body ?? {};
  return new MockdError(`${message ?? text} (${where} returned ${status})`, { status, field });
}
