#!/usr/bin/env node
// Runs the mockd program of this package with the same arguments, input, output and exit code.

import { spawn } from "node:child_process";
import { constants } from "node:os";

import { installedBinary, PLATFORM_PACKAGE } from "../src/binary.js";

const binary = installedBinary();
if (binary === undefined) {
  console.error(
    `error: the package ${PLATFORM_PACKAGE} with the mockd program for this system is not installed; ` +
      "install again without --omit=optional, or set MOCKD_BINARY to the path of a mockd",
  );
  process.exit(1);
}

const child = spawn(binary, process.argv.slice(2), { stdio: "inherit" });
child.once("error", (error) => {
  console.error(`error: cannot start ${binary}: ${error.message}`);
  process.exit(1);
});
child.once("exit", (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));

// On Ctrl-C, a terminal also signals the child. A second signal would stop it immediately.
const isOnTerminal = process.stdin.isTTY || process.stdout.isTTY;
process.on("SIGINT", () => isOnTerminal || child.kill("SIGINT"));
for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));

// npx does not forward signals to the processes it starts. When npx exits, this process gets a new parent.
if (process.env.npm_command === "exec") {
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    child.kill("SIGTERM");
  }, 200);
}
