import { MockdError, startMockd, type StartedMockd, type World } from "mockd";
import { afterAll, beforeAll, describe, test as base } from "vitest";

interface Todo {
  id: number;
  title: string;
  done: boolean;
}

let mockd: StartedMockd;

beforeAll(async () => {
  const scenario = new URL("../../../../scenarios/todos.yaml", import.meta.url);
  mockd = await startMockd({ scenario, paused: true, seed: 42 });
});

afterAll(() => mockd.stop());

const test = base.extend<{ world: World }>({
  world: async ({ task }, use) => {
    const world = await mockd.world(task.id);
    await use(world);
    await world.remove();
  },
});

const titles = async (world: World) => (await world.data<Todo[]>("todos")).map(({ title }) => title);

const add = (world: World, title: string) =>
  fetch(`${world.url}/todos`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ title }),
  });

describe.concurrent("the data of a world", () => {
  test("contains rows added by the app", async ({ world, expect }) => {
    expect((await add(world, "Call mum")).status).toBe(201);
    expect(await titles(world)).toEqual(["Buy milk", "Water the plants", "Learn to juggle", "Call mum"]);
    expect(await world.data()).toEqual({ todos: await world.data("todos") });
  });

  test("is replaced as a whole", async ({ world, expect }) => {
    const todos = [{ id: 7, title: "Sleep", done: false }];
    expect(await world.setData({ todos })).toHaveLength(4);
    expect(await (await fetch(`${world.url}/todos`)).json()).toEqual(todos);
    await world.reset();
    expect(await titles(world)).toEqual(["Buy milk", "Water the plants", "Learn to juggle"]);
  });

  test("changes with steps, now and later", async ({ world, expect }) => {
    const events = await world.steps([
      { add: { todos: { title: "Call mum", done: false } } },
      { after: "5s", merge: { todos: { id: "$it.id", done: true } } },
    ]);
    expect(events).toMatchObject([{ event: "added", id: 4 }]);
    expect((await world.data<Todo[]>("todos"))[3]).toEqual({ id: 4, title: "Call mum", done: false });
    await world.clock.advance("5s");
    expect((await world.data<Todo[]>("todos"))[3]?.done).toBe(true);
  });

  test("is unchanged after an invalid or rejected step", async ({ world, expect }) => {
    for (const invalid of [{ mrege: { todos: { id: 1 } } }, { remove: { todos: 99 } }]) {
      const rejected = await world.steps([{ add: { todos: { title: "Call mum" } } }, invalid]).catch((error) => error);
      expect(rejected).toBeInstanceOf(MockdError);
    }
    const unknown = await world.setData({ todo: [] }).catch((error) => error);
    expect(unknown).toBeInstanceOf(MockdError);
    expect(await titles(world)).toEqual(["Buy milk", "Water the plants", "Learn to juggle"]);
  });

  test("rejects unknown names", async ({ world, expect }) => {
    await expect(world.data("todo")).rejects.toThrow('has no data named "todo"; available: todos');
  });
});
