import { defineConfig } from "@playwright/test";

export default defineConfig({
  testDir: ".",
  outputDir: "../../test-results/playwright",
  fullyParallel: true,
  workers: 2,
  reporter: "list",
  // Long, so that a busy machine fails no test; what is waited for is there within milliseconds otherwise.
  timeout: 150_000,
  expect: { timeout: 60_000 },
  use: {
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      // In a container there is no sandbox and no graphics card, and a test needs no service of the browser's maker.
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
