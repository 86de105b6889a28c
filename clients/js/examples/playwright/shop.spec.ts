import type { Page } from "@playwright/test";
import type { World } from "mockd";

import { expect, test } from "./fixtures.js";

const row = (page: Page, product: string) => page.getByRole("listitem").filter({ hasText: product });
const orders = (page: Page, product: string) => row(page, product).locator(".orders");

async function choose(page: Page, world: World, category: string): Promise<void> {
  await page.goto(`${world.url}/`);
  await page.getByLabel("Category").selectOption(category);
  const command = { cmd: "update-category", payload: { category } };
  await world.journal.waitFor({ kind: "received", body: command }, { timeout: "1m" });
}

test("totals follow the clock", async ({ page, world }) => {
  await choose(page, world, "electronics");
  await expect(orders(page, "Vacuum Cleaner")).toHaveText("3");
  await expect(orders(page, "Leaf Blower")).toHaveText("7");
  await world.clock.advance("10s");
  const { totals } = await world.state();
  expect(totals).not.toMatchObject({ A1: 3, A2: 7 });
  await expect(orders(page, "Vacuum Cleaner")).toHaveText(String(totals.A1));
  await expect(orders(page, "Leaf Blower")).toHaveText(String(totals.A2));
});

test("a click orders ten items", async ({ page, world }) => {
  await choose(page, world, "electronics");
  await row(page, "Vacuum Cleaner").locator("summary").click();
  await page.getByRole("button", { name: "Order 10" }).click();
  await expect(orders(page, "Vacuum Cleaner")).toHaveText("13");
  await world.verify({ kind: "request", method: "POST", path: "/orders/A1", body: { amount: 10 }, exactly: 1 });
});

for (const amount of [1, 2]) {
  test(`a world with ${amount} sold toffees has no other orders`, async ({ page, world }) => {
    await choose(page, world, "confectionery");
    await world.orders([{ id: "B1", amount }]);
    await expect(orders(page, "Chewy Toffee")).toHaveText(String(101 + amount));
    expect(await world.events()).toMatchObject([{ id: "B1", total: 101 + amount }]);
  });
}

test("the page reconnects after a lost connection", async ({ page, world }) => {
  await choose(page, world, "electronics");
  await world.sockets.close({ code: 1012 });
  await world.journal.waitFor({ kind: "opened", atLeast: 2 }, { timeout: "1m" });
  await world.orders([{ id: "A2", amount: 5 }]);
  await expect(orders(page, "Leaf Blower")).toHaveText("12");
  await expect(page.getByRole("status")).toHaveText("Live");
});
