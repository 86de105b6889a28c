import { filePath } from "./path.js";
import { Connection } from "./request.js";
import { World } from "./world.js";

export class Mockd {
  #connection;

  constructor(connection, seed) {
    this.#connection = connection;
    this.url = connection.url;
    this.seed = seed;
    this.defaultWorld = new World(connection, "default");
  }

  async world(name, options = {}) {
    try {
      await this.#connection.json("POST", "/__mockd/worlds", { name, ...options });
    } catch (error) {
      // An existing world is fine, unless options were given.
      const hasOptions = Object.values(options).some((value) => value !== undefined);
      if (error.status !== 409 || hasOptions) throw error;
    }
    return new World(this.#connection, name);
  }

  async worlds() {
    return (await this.#connection.json("GET", "/__mockd/worlds")).worlds;
  }

  async scenarios() {
    return (await this.#connection.json("GET", "/__mockd/scenarios")).scenarios;
  }

  async useScenario(file) {
    return this.#connection.json("POST", "/__mockd/scenarios", { file: filePath(file) });
  }
}

// Connects to a mockd that this process did not start and does not stop.
export async function connectMockd(url, { token = process.env.MOCKD_CONTROL_TOKEN } = {}) {
  const connection = new Connection(url, token);
  const { seed } = await connection.json("GET", "/__mockd/state");
  return new Mockd(connection, seed);
}
