import { rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { connectMockd, startMockd } from "mockd";
import { describe, test } from "vitest";

const scenario = new URL("../../../../scenarios/shop.yaml", import.meta.url);

describe.concurrent("mockd", () => {
  test("starts with the given seed and token, and stops", async ({ expect }) => {
    const mockd = await startMockd({ scenario, seed: 7, paused: true, token: "a-secret-of-tests" });
    expect(mockd.seed).toBe(7);
    await expect(connectMockd(mockd.url, { token: "" })).rejects.toMatchObject({ status: 401 });
    const connected = await connectMockd(mockd.url, { token: "a-secret-of-tests" });
    expect(connected.seed).toBe(7);
    await connected.world("a", { seed: 8 });
    expect((await mockd.worlds()).map(({ name, seed }) => [name, seed])).toEqual([["default", 7], ["a", 8]]);
    await mockd.stop();
    await mockd.stop();
    await expect(connected.worlds()).rejects.toThrow("cannot reach mockd; is it still running?");
  });

  test("switches between scenarios, but not to a broken one", async ({ expect, onTestFinished }) => {
    const broken = join(tmpdir(), `broken-later-${process.pid}.yaml`);
    onTestFinished(() => rm(broken));
    await writeFile(broken, "categoris: {}\n");
    const webhook = new URL("../../../../scenarios/webhook.yaml", import.meta.url);
    const mockd = await startMockd({ scenario: [scenario, webhook, broken], paused: true });
    const files = [scenario, webhook].map((url) => fileURLToPath(url)).concat(broken);
    const served = async () => (await mockd.scenarios()).filter(({ serving }) => serving).map(({ file }) => file);
    expect((await mockd.scenarios()).map(({ file }) => file)).toEqual(files);
    expect(await served()).toEqual([files[0]]);
    expect(await mockd.useScenario(webhook)).toMatchObject({ ok: true, count: 1 });
    await expect(mockd.useScenario(broken)).rejects.toMatchObject({
      status: 422,
      message: expect.stringContaining("unknown key `categoris`"),
    });
    await expect(mockd.useScenario("nope.yaml")).rejects.toMatchObject({ status: 404 });
    expect(await served()).toEqual([files[1]]);
    await mockd.stop();
  });

  test("reports the problems of a broken scenario", async ({ expect, onTestFinished }) => {
    const broken = join(tmpdir(), `broken-${process.pid}.yaml`);
    onTestFinished(() => rm(broken));
    await writeFile(broken, "name: shop\ncategoris: {}\n");
    await expect(startMockd({ scenario: broken })).rejects.toThrow(/exit code 1.*\n.*unknown key `categoris`/);
  });

  test("reports how to install a missing program", async ({ expect }) => {
    const starting = startMockd({ scenario, binary: "no-such-mockd" });
    await expect(starting).rejects.toThrow("install mockd, or set MOCKD_BINARY");
  });
});
