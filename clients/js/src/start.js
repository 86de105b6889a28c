// Starts and stops the mockd program.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

import { installedBinary } from "./binary.js";
import { Mockd } from "./mockd.js";
import { filePath } from "./path.js";
import { Connection } from "./request.js";

// With this flag, mockd checks every 100 ms whether its parent is alive. The flag does not exist on Windows.
const WITH_PARENT = process.platform === "win32" ? [] : ["--exit-with-parent"];

export class StartedMockd extends Mockd {
  #child;
  #ended;

  constructor(connection, { seed, pid }, child, ended) {
    super(connection, seed);
    this.pid = pid;
    this.#child = child;
    this.#ended = ended;
  }

  async stop() {
    // Otherwise Node could exit before mockd does.
    this.#child.ref();
    this.#child.kill("SIGTERM");
    await this.#ended;
  }

  async [Symbol.asyncDispose]() {
    await this.stop();
  }
}

export async function startMockd({
  scenario,
  binary = installedBinary() ?? "mockd",
  port = 0,
  seed,
  paused = false,
  speed,
  args = [],
  token = process.env.MOCKD_CONTROL_TOKEN,
  timeout = 30_000,
} = {}) {
  const files = [scenario].flat().map(filePath);
  const isGiven = files.length > 0 && files.every(Boolean);
  if (!isGiven) throw new TypeError("startMockd requires a scenario: the path or file URL of a YAML file");
  const flags = ["--port", port, "--log-format", "json", ...WITH_PARENT];
  if (seed !== undefined) flags.push("--seed", seed);
  if (speed !== undefined) flags.push("--speed", speed);
  if (paused) flags.push("--paused");
  // The token is in the environment, because every user of the machine can read a program's arguments.
  const env = token ? { ...process.env, MOCKD_CONTROL_TOKEN: token } : process.env;
  const child = spawn(binary, ["run", ...flags.map(String), ...args, "--", ...files], {
    stdio: ["ignore", "pipe", "pipe"],
    env,
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const ready = await untilReady(child, binary, timeout);
  // A test run that does not stop mockd can exit anyway, which also stops mockd.
  for (const handle of [child, child.stdout, child.stderr]) handle.unref();
  return new StartedMockd(new Connection(ready.url, token), ready, child, ended);
}

// Returns the line that mockd prints once it answers, parsed.
function untilReady(child, binary, timeout) {
  return new Promise((resolve, reject) => {
    let log = "";
    const fail = (why) => {
      clearTimeout(timer);
      reject(new Error(log === "" ? why : `${why}; output:\n${log.trimEnd()}`));
    };
    const timer = setTimeout(() => {
      fail(`mockd was not ready within ${timeout} ms`);
      child.kill("SIGKILL");
    }, timeout);
    const collect = (text) => (log += text);
    child.stderr.setEncoding("utf8").on("data", collect);
    child.once("error", (error) => fail(whyNotStarted(binary, error)));
    // Not "exit", because the last output may arrive after it.
    child.once("close", (code, signal) => fail(`mockd exited before it was ready (${signal ?? `exit code ${code}`})`));
    createInterface({ input: child.stdout }).on("line", (line) => {
      const ready = parse(line);
      if (!ready?.ready) return collect(`${line}\n`);
      clearTimeout(timer);
      // From here on, the log is read and discarded, so that mockd never blocks on a full pipe.
      child.stderr.off("data", collect).resume();
      resolve(ready);
    });
  });
}

function parse(line) {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function whyNotStarted(binary, error) {
  if (error.code !== "ENOENT") return `cannot start mockd: ${error.message}`;
  return `cannot start mockd: program "${binary}" not found; install mockd, or set MOCKD_BINARY to its path`;
}
