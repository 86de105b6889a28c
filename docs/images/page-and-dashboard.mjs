// Takes the screenshot and saves it at the given path; see `make`.

import { createRequire } from "node:module";
import { startMockd } from "../../clients/js/index.js";

const { chromium } = createRequire(new URL("../../clients/js/package.json", import.meta.url))("@playwright/test");
const [path] = process.argv.slice(2);
const HEIGHT = 820;
const WIDTHS = { page: 440, dashboard: 700 };
const GAP = 16;

const mockd = await startMockd({ scenario: "scenarios/shop.yaml", seed: 42 });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu"],
});
try {
  const context = await browser.newContext({ deviceScaleFactor: 1.5, colorScheme: "light" });
  const open = async (url, width, height = HEIGHT) => {
    const page = await context.newPage();
    await page.setViewportSize({ width, height });
    await page.goto(url);
    return page;
  };
  const page = await open(`${mockd.url}/`, WIDTHS.page);
  const dashboard = await open(`${mockd.url}/__mockd/`, WIDTHS.dashboard);

  // Uses the shop for a while.
  await page.selectOption("#category", "electronics");
  await page.click("#products li:first-child summary");
  for (const amount of [1, 10, 1]) {
    await page.click(`#products li:first-child [data-amount="${amount}"]`);
    await page.waitForTimeout(1500);
  }
  await page.waitForTimeout(15_000);

  const shots = [];
  for (const [tab, width] of [[page, WIDTHS.page], [dashboard, WIDTHS.dashboard]]) {
    await tab.bringToFront();
    const shot = await tab.screenshot({ type: "png" });
    shots.push(`<img src="data:image/png;base64,${shot.toString("base64")}" width="${width}">`);
  }
  const picture = await open("about:blank", WIDTHS.page + WIDTHS.dashboard + 3 * GAP, HEIGHT + 2 * GAP);
  await picture.setContent(`<style>
    body { display: flex; gap: ${GAP}px; padding: ${GAP}px; margin: 0; background: #d5dae1 }
    img { display: block; border-radius: 8px; box-shadow: 0 1px 4px #0004 }
  </style>${shots.join("")}`);
  await picture.screenshot({ path });
} finally {
  await browser.close();
  await mockd.stop();
}
