import { defineConfig } from "@playwright/test";

export default defineConfig({
  testDir: ".",
  outputDir: "../../test-results/playwright",
  fullyParallel: true,
  workers: 2,
  reporter: "list",
  // Long, so that tests do not fail on a busy machine. Expectations are normally met within milliseconds.
  timeout: 150_000,
  expect: { timeout: 60_000 },
  use: {
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      // A container has no sandbox and no GPU, and tests do not need the browser vendor's services.
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
});
