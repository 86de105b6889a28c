// Where the mockd program is.

import { createRequire } from "node:module";

// The optional package that brings the program for this system.
export const PLATFORM_PACKAGE = `mockd-${process.platform}-${process.arch}`;

// What the environment names, otherwise what the package of this system brings; undefined if there is neither.
export function installedBinary() {
  if (process.env.MOCKD_BINARY) return process.env.MOCKD_BINARY;
  const file = process.platform === "win32" ? "mockd.exe" : "mockd";
  try {
    return createRequire(import.meta.url).resolve(`${PLATFORM_PACKAGE}/bin/${file}`);
  } catch {
    return undefined;
  }
}
