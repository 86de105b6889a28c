// Finds the mockd program.

import { createRequire } from "node:module";

// The optional package with the program for this system.
export const PLATFORM_PACKAGE = `mockd-${process.platform}-${process.arch}`;

// Returns the program that MOCKD_BINARY names, otherwise that of the package for this system, otherwise undefined.
export function installedBinary() {
  if (process.env.MOCKD_BINARY) return process.env.MOCKD_BINARY;
  const file = process.platform === "win32" ? "mockd.exe" : "mockd";
  try {
    return createRequire(import.meta.url).resolve(`${PLATFORM_PACKAGE}/bin/${file}`);
  } catch {
    return undefined;
  }
}
