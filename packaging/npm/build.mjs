// Builds the npm packages: `mockd` with the client and the launcher, and one per system with the program.
//
//   node packaging/npm/build.mjs OUT [SYSTEM=PROGRAM]...
//
// writes mockd-VERSION.tgz and mockd-SYSTEM-VERSION.tgz to the folder OUT, such as mockd-linux-x64-0.1.0.tgz for
// linux-x64=target/release/mockd. All packages have the version from Cargo.toml.

import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const SYSTEMS = ["darwin-arm64", "darwin-x64", "linux-arm64", "linux-x64", "win32-x64"];

const root = fileURLToPath(new URL("../..", import.meta.url));
const client = join(root, "clients/js");
const [, version] = /^version = "(.+)"$/m.exec(readFileSync(join(root, "Cargo.toml"), "utf8"));

const [out, ...programs] = process.argv.slice(2);
if (out === undefined) throw new Error("usage: build.mjs OUT [SYSTEM=PROGRAM]...");
mkdirSync(out, { recursive: true });
const scratch = mkdtempSync(join(tmpdir(), "mockd-npm-"));
try {
  packClient();
  for (const argument of programs) packProgram(...argument.split("="));
} finally {
  rmSync(scratch, { recursive: true });
}

// Packs the client, without the manifest entries that only its tests need.
function packClient() {
  const { devDependencies, overrides, scripts, ...manifest } = readJson(join(client, "package.json"));
  if (manifest.version !== version) {
    throw new Error(`version mismatch: ${manifest.version} in clients/js/package.json, ${version} in Cargo.toml`);
  }
  const folder = join(scratch, "mockd");
  mkdirSync(folder);
  for (const entry of ["bin", "index.d.ts", "index.js", "src", "types", "LICENSE", "README.md"]) {
    cpSync(join(client, entry), join(folder, entry), { recursive: true });
  }
  const optionalDependencies = Object.fromEntries(SYSTEMS.map((system) => [`mockd-${system}`, version]));
  pack(folder, { ...manifest, optionalDependencies });
}

function packProgram(system, program) {
  if (!SYSTEMS.includes(system) || !program) {
    const found = `${system}=${program ?? ""}`;
    throw new Error(`expected SYSTEM=PROGRAM, where SYSTEM is one of ${SYSTEMS.join(", ")}; found ${found}`);
  }
  const [os, cpu] = system.split("-");
  const folder = join(scratch, system);
  const file = join(folder, "bin", os === "win32" ? "mockd.exe" : "mockd");
  mkdirSync(join(folder, "bin"), { recursive: true });
  copyFileSync(resolve(program), file);
  chmodSync(file, 0o755);
  copyFileSync(join(root, "LICENSE"), join(folder, "LICENSE"));
  writeFileSync(join(folder, "README.md"), `The mockd program for ${system}. Install the package \`mockd\`, which depends on this one.\n`);
  const { description, license, repository } = readJson(join(client, "package.json"));
  const name = `mockd-${system}`;
  // By default, Yarn keeps packages zipped, and a program in a zip file cannot be started.
  pack(folder, { name, version, description, license, repository, os: [os], cpu: [cpu], files: ["bin"], preferUnplugged: true });
}

function pack(folder, manifest) {
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  execFileSync("npm", ["pack", "--silent", "--pack-destination", resolve(out), folder], { stdio: ["ignore", "ignore", "inherit"] });
}

function readJson(file) {
  return JSON.parse(readFileSync(file, "utf8"));
}
