import { VerificationError } from "./verification.js";

// A number is in milliseconds; a string has the format of scenarios.
const duration = (time) => (typeof time === "number" ? `${time}ms` : time);

const segment = (text) => encodeURIComponent(text);

export class World {
  #connection;
  #path;

  constructor(connection, name) {
    this.#connection = connection;
    this.#path = name === "default" ? "" : `/@${segment(name)}`;
    this.name = name;
    this.url = connection.url + this.#path;
    const call = (method, path, payload) => connection.json(method, `${this.#path}/__mockd/${path}`, payload);
    this.clock = clock(call);
    this.snapshots = snapshots(call);
    this.sockets = sockets(call);
    this.topics = topics(call);
    this.faults = faults(call);
    this.journal = {
      list: (filter = {}) => call("GET", `journal${query(filter)}`),
      clear: () => call("DELETE", "journal").then(nothing),
      waitFor: (expectation, options) => this.#waitFor(expectation, options),
    };
    this.state = () => call("GET", "state");
    this.setTotals = (totals) => call("PATCH", "state", { totals }).then(({ events }) => events);
    this.data = (name) => this.#data(name);
    this.setData = (data) => call("PATCH", "state", { data }).then(({ events }) => events);
    this.steps = (steps) => call("POST", "steps", { do: steps }).then(({ events }) => events);
    this.orders = (orders) => call("POST", "orders", { orders }).then(({ events }) => events);
    this.reset = (options = {}) => call("POST", "reset", options).then(nothing);
  }

  wsUrl(category) {
    return `${this.url.replace("http", "ws")}/orders/${segment(category)}`;
  }

  async transcript({ after = 0 } = {}) {
    const path = `${this.#path}/__mockd/transcript${query({ after })}`;
    const { text, headers } = await this.#connection.send("GET", path);
    // Events are numbered from the world's start, and so are dropped ones.
    const dropped = Number(headers["x-mockd-dropped"]);
    if (dropped > after) {
      const hint = `read later events with { after: ${dropped} }, or read the transcript earlier`;
      throw new RangeError(`world "${this.name}" no longer has its first ${dropped} events; ${hint}`);
    }
    return text;
  }

  async events(options) {
    const lines = (await this.transcript(options)).split("\n");
    return lines.filter((line) => line !== "").map((line) => JSON.parse(line));
  }

  async verify(expected, { ordered = false } = {}) {
    const expectations = [expected].flat();
    const verdict = await this.#control("verify", { expect: expectations, ordered });
    if (verdict.pass) return verdict;
    const failed = verdict.findings.filter(({ pass }) => !pass).length;
    const summary = `the journal of world "${this.name}" fails ${failed} of ${expectations.length} expectations:`;
    throw new VerificationError(summary, expectations, verdict);
  }

  async remove() {
    await this.#connection.json("DELETE", `/__mockd/worlds/${segment(this.name)}`);
  }

  async #waitFor(expectation, { timeout = "5s" } = {}) {
    const verdict = await this.#control("journal/wait", { for: expectation, timeout: duration(timeout) });
    if (verdict.pass) return verdict;
    const summary = `world "${this.name}" waited ${duration(timeout)}, but an expectation was not met:`;
    throw new VerificationError(summary, [expectation], verdict);
  }

  async #data(name) {
    const { data = {} } = await this.state();
    if (name === undefined) return data;
    if (Object.hasOwn(data, name)) return data[name];
    const names = Object.keys(data).join(", ") || "none";
    throw new RangeError(`world "${this.name}" has no data named "${name}"; available: ${names}`);
  }

  #control(path, payload) {
    return this.#connection.json("POST", `${this.#path}/__mockd/${path}`, payload);
  }
}

function clock(call) {
  const set = (change) => call("POST", "clock", change);
  return {
    get: () => call("GET", "clock"),
    pause: () => set({ pause: true }),
    resume: () => set({ resume: true }),
    speed: (speed) => set({ speed }),
    advance: (by) => set({ advance: duration(by) }),
    advanceTo: (at) => set({ advance_to: duration(at) }),
    step: (step = 1) => set({ step }),
  };
}

function snapshots(call) {
  return {
    list: () => call("GET", "snapshots").then(({ snapshots }) => snapshots),
    save: (name) => call("POST", "snapshots", { name }).then(nothing),
    restore: (name) => call("POST", `snapshots/${segment(name)}/restore`).then(nothing),
    delete: (name) => call("DELETE", `snapshots/${segment(name)}`).then(nothing),
  };
}

function faults(call) {
  const path = (fault) => `faults/${segment(fault)}`;
  return {
    list: () => call("GET", "faults").then(({ faults }) => faults),
    get: (fault) => call("GET", path(fault)),
    add: (fault) => call("POST", "faults", fault),
    change: (fault, into) => call("PUT", path(fault), into),
    remove: (fault) => call("DELETE", path(fault)).then(nothing),
    clear: () => call("DELETE", "faults").then(nothing),
  };
}

function sockets(call) {
  const path = (socket, verb) => (socket === undefined ? `sockets/${verb}` : `sockets/${socket}/${verb}`);
  return {
    list: () => call("GET", "sockets").then(({ sockets }) => sockets),
    close: ({ socket, ...how } = {}) => call("POST", path(socket, "close"), how).then(({ closed }) => closed),
    send: ({ socket, ...frame }) => call("POST", path(socket, "send"), encoded(frame)).then(nothing),
  };
}

function topics(call) {
  return {
    send: (topic, frame) => call("POST", `topics/${segment(topic)}`, encoded(frame)).then(({ events }) => events),
  };
}

function encoded({ binary, ...frame }) {
  return binary === undefined ? frame : { ...frame, binary: Buffer.from(binary).toString("base64") };
}

function query(filter) {
  const given = Object.entries(filter).filter(([, value]) => value !== undefined);
  return given.length === 0 ? "" : `?${new URLSearchParams(given)}`;
}

// Discards the answer {"ok":true}.
const nothing = () => undefined;
