// Generates the types of the control API from the OpenAPI document that mockd serves: `npm run generate`. With --check,
// only reports whether they are up to date.

import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { startMockd } from "mockd";
import openapiTS, { astToString } from "openapi-typescript";

const HEAD = "// Made from mockd's OpenAPI document by `npm run generate`.\n\n";

const target = new URL("api.d.ts", import.meta.url);
const mockd = await startMockd({ scenario: new URL("../../../scenarios/shop.yaml", import.meta.url), paused: true });
const types = await openapiTS(new URL("/__mockd/openapi.json", mockd.url), { defaultNonNullable: false });
await mockd.stop();
const text = HEAD + astToString(types);
if (!process.argv.includes("--check")) {
  await writeFile(target, text);
} else if (text !== (await readFile(target, "utf8"))) {
  console.error(`${fileURLToPath(target)} does not match mockd's OpenAPI document; run \`npm run generate\``);
  process.exitCode = 1;
}
