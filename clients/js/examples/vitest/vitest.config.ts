import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    dir: import.meta.dirname,
    include: ["*.test.ts"],
    // Long, so that tests do not fail on a busy machine.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
