import { MockdError, startMockd, VerificationError, type StartedMockd, type World } from "mockd";
import { afterAll, beforeAll, describe, test as base } from "vitest";

import { LiveOrders } from "./live.js";

let mockd: StartedMockd;

beforeAll(async () => {
  const scenario = new URL("../../../../scenarios/shop.yaml", import.meta.url);
  mockd = await startMockd({ scenario, paused: true, seed: 42 });
});

afterAll(() => mockd.stop());

// Each test has its own world, so tests can run concurrently.
const test = base.extend<{ world: World }>({
  world: async ({ task }, use) => {
    const world = await mockd.world(task.id);
    await use(world);
    await world.remove();
  },
});

const electronics = (world: World) => LiveOrders.open(world.wsUrl("electronics"));

const order = (world: World, id: string, amount: number) =>
  fetch(`${world.url}/orders/${id}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ amount }),
  });

describe.concurrent("a shop", () => {
  test("sends the same frames in two worlds", async ({ world, expect }) => {
    const other = await mockd.world(`${world.name}-other`);
    const frames = await Promise.all(
      [world, other].map(async (each) => {
        const live = await electronics(each);
        const { count } = await each.clock.advance("10s");
        // The current totals of the category's two products come first.
        return live.take(2 + count);
      }),
    );
    expect(frames[0]).toEqual(frames[1]);
    expect(frames[0]?.slice(0, 2)).toEqual(['{"id":"A1","total":3}', '{"id":"A2","total":7}']);
    expect(await world.transcript()).toBe(await other.transcript());
  });

  test("sends a new total for a posted order", async ({ world, expect }) => {
    const live = await electronics(world);
    await live.take(2);
    const answer = await order(world, "A1", 10);
    expect(answer.status).toBe(200);
    expect(await live.take(1)).toEqual(['{"id":"A1","total":13}']);
    await world.verify({ kind: "request", method: "POST", path: "/orders/A1", body: { amount: 10 }, exactly: 1 });
  });

  test("fails while a fault is active", async ({ world, expect }) => {
    const fault = await world.faults.add({ name: "busy", on: "http", method: "POST", times: 1, status: 503 });
    expect(fault).toMatchObject({ label: "busy", source: "api", phase: "active" });
    expect((await order(world, "A1", 10)).status).toBe(503);
    expect((await order(world, "A1", 10)).status).toBe(200);
    await world.faults.change("busy", { name: "busy", on: "http", status: 429 });
    expect((await order(world, "A1", 10)).status).toBe(429);
    expect(await world.faults.list()).toMatchObject([{ matched: 1, hit: 1 }]);
    await world.faults.remove("busy");
    expect((await order(world, "A1", 10)).status).toBe(200);
    expect((await world.state()).totals["A1"]).toBe(23);
  });

  test("receives the frame that changes a client's category", async ({ world, expect }) => {
    const live = await electronics(world);
    const command = { cmd: "update-category", payload: { category: "confectionery" } };
    const received = world.journal.waitFor({ kind: "received", body: command }, { timeout: "30s" });
    live.send(command);
    expect((await received).findings[0]?.count).toBe(1);
    expect(await live.take(3)).toContain('{"id":"B1","total":101}');
  });

  test("restores totals from a snapshot and with a reset", async ({ world, expect }) => {
    await world.setTotals({ A1: 50 });
    await world.snapshots.save("fifty");
    await world.orders([{ id: "A1", amount: 8 }, { id: "A2", amount: -1 }]);
    expect((await world.state()).totals).toEqual({ A1: 58, A2: 6, B1: 101 });
    await world.snapshots.restore("fifty");
    expect((await world.state()).totals).toEqual({ A1: 50, A2: 7, B1: 101 });
    await world.reset();
    expect((await world.state()).totals).toEqual({ A1: 3, A2: 7, B1: 101 });
  });

  test("runs one event at a time when the clock is stepped", async ({ world, expect }) => {
    expect((await world.clock.step()).at).toBe("1s500ms");
    expect((await world.clock.advanceTo(4_500)).count).toBe(2);
    expect((await world.events({ after: 1 })).map(({ at }) => at)).toEqual(["3s", "4s500ms"]);
  });

  test("closes sockets with the requested code", async ({ world, expect }) => {
    const live = await electronics(world);
    const closed = live.closed();
    expect(await world.sockets.close({ code: 1013, reason: "come back later" })).toEqual([1]);
    expect(await closed).toBe(1013);
  });

  test("names the invalid field of a request", async ({ world, expect }) => {
    const unknown = await world.orders([{ id: "A1", amount: 1 }, { id: "Z9", amount: 1 }]).catch((error) => error);
    expect(unknown).toBeInstanceOf(MockdError);
    expect(unknown).toMatchObject({ status: 400, field: "orders[1].id" });
    // @ts-expect-error: the field is called `kind`.
    const misspelled = await world.verify({ knid: "request" }).catch((error) => error);
    expect(misspelled).toMatchObject({ status: 400, field: "expect[0].knid" });
    expect((await world.state()).totals.A1).toBe(3);
  });

  test("rejects misspelled faults at compile time", async ({ world, expect }) => {
    // @ts-expect-error: the key is called `status`.
    const misspelled = await world.faults.add({ on: "http", stats: 503 }).catch((error) => error);
    expect(misspelled.message).toContain("did you mean `status`?");
    // @ts-expect-error: the word is `http`.
    const unknown = await world.faults.add({ on: "htpt", status: 503 }).catch((error) => error);
    expect(unknown).toMatchObject({ status: 400 });
  });

  test("reports the nearest entry when an expectation fails", async ({ world, expect }) => {
    await order(world, "A1", 2);
    const failed = await world.verify({ path: "/orders/A1", body: { amount: 3 } }).catch((error) => error);
    expect(failed).toBeInstanceOf(VerificationError);
    expect(failed.message).toContain("expected at least 1, found 0");
    expect(failed.message).toContain("body.amount: expected 3, found 2");
  });

  test("stops waiting for an entry after the timeout", async ({ world, expect }) => {
    const waiting = world.journal.waitFor({ kind: "opened" }, { timeout: 10 });
    await expect(waiting).rejects.toThrow('waited 10ms, but an expectation was not met:\n  1. {"kind":"opened"}');
  });

  test("creates a world with options only once", async ({ world, expect }) => {
    await expect(mockd.world(world.name, { seed: 1 })).rejects.toMatchObject({ status: 409 });
    expect((await mockd.world(world.name)).url).toBe(world.url);
  });
});
