import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    dir: import.meta.dirname,
    include: ["*.test.ts"],
    // Long, so that a busy machine fails no test.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
