import { fileURLToPath } from "node:url";
import { test as base, type TestInfo } from "@playwright/test";
import { startMockd, type StartedMockd, type World } from "mockd";

const scenario = fileURLToPath(new URL("../../../../scenarios/shop.yaml", import.meta.url));

/** Starts one mockd per worker and creates one world per test, with a paused clock that the test advances. */
export const test = base.extend<{ world: World }, { mockd: StartedMockd }>({
  mockd: [
    async ({}, use) => {
      const mockd = await startMockd({ scenario, seed: 42 });
      await use(mockd);
      await mockd.stop();
    },
    { scope: "worker" },
  ],
  world: async ({ mockd }, use, testInfo) => {
    const world = await mockd.world(worldName(testInfo), { paused: true });
    await use(world);
    await world.remove();
  },
});

export { expect } from "@playwright/test";

// Distinguishes tests with the same title, and retries, by a suffix that is never truncated.
function worldName({ title, testId, retry, repeatEachIndex }: TestInfo): string {
  const unique = `-${testId.slice(-8)}-${retry}-${repeatEachIndex}`;
  const readable = title.replace(/[^A-Za-z0-9]+/g, "-");
  return readable.slice(0, 64 - unique.length) + unique;
}
