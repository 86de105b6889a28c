#!/usr/bin/env node
// The mockd program of this package: the same arguments, input, output and exit code.

import { spawn } from "node:child_process";
import { constants } from "node:os";

import { installedBinary, PLATFORM_PACKAGE } from "../src/binary.js";

const binary = installedBinary();
if (binary === undefined) {
  console.error(
    `error: the package ${PLATFORM_PACKAGE}, which brings the mockd program for this system, is not installed; ` +
      "install again without --omit=optional, or set MOCKD_BINARY to the path of a mockd",
  );
  process.exit(1);
}

const child = spawn(binary, process.argv.slice(2), { stdio: "inherit" });
child.once("error", (error) => {
  console.error(`error: ${binary} cannot be started: ${error.message}`);
  process.exit(1);
});
child.once("exit", (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));

// A terminal sends Ctrl-C to the child as well, and a second one would end it at once.
const isOnTerminal = process.stdin.isTTY || process.stdout.isTTY;
process.on("SIGINT", () => isOnTerminal || child.kill("SIGINT"));
for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));

// npx that is told to end does not tell what it has started, which then has another parent.
if (process.env.npm_command === "exec") {
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    child.kill("SIGTERM");
  }, 200);
}
