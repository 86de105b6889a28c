import { once } from "node:events";
import { WebSocket } from "ws";

/** A WebSocket connection that returns frames in order, as soon as they arrive. */
export class LiveOrders {
  readonly #socket: WebSocket;
  readonly #arrived: string[] = [];
  readonly #waiting: ((frame: string) => void)[] = [];

  private constructor(url: string) {
    this.#socket = new WebSocket(url);
    this.#socket.on("message", (data) => {
      const next = this.#waiting.shift();
      if (next) next(String(data));
      else this.#arrived.push(String(data));
    });
  }

  static async open(url: string): Promise<LiveOrders> {
    const live = new LiveOrders(url);
    await once(live.#socket, "open");
    return live;
  }

  send(message: unknown): void {
    this.#socket.send(JSON.stringify(message));
  }

  async take(count: number): Promise<string[]> {
    const frames: string[] = [];
    while (frames.length < count) frames.push(this.#arrived.shift() ?? (await this.#next()));
    return frames;
  }

  /** Resolves with the close code. */
  async closed(): Promise<number> {
    const [code] = await once(this.#socket, "close");
    return code;
  }

  #next(): Promise<string> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
