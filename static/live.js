// A WebSocket for live orders, which reconnects as long as the page is open.

const FIRST_DELAY = 250;
const LONGEST_DELAY = 5_000;

// Calls `on.order` with { id, total }, `on.notice` with what changed, and `on.state` with "live" or "offline".
export class LiveOrders {
  #url;
  #on;
  // Until a category is watched, a name that no category can have: the socket then receives only live orders and
  // notices.
  #category = "__none";
  #socket = null;
  #failures = 0;
  #timer = null;
  #isOver = false;

  constructor(api, on) {
    this.#url = new URL("orders/", api);
    this.#url.protocol = this.#url.protocol.replace("http", "ws");
    this.#on = on;
    addEventListener("online", () => this.#retryNow());
    document.addEventListener("visibilitychange", () => document.hidden || this.#retryNow());
    this.#connect();
  }

  // Requests a category's current orders, now or as soon as the socket is open.
  watch(category) {
    this.#category = category;
    if (this.#socket?.readyState === WebSocket.OPEN) {
      this.#socket.send(JSON.stringify({ cmd: "update-category", payload: { category } }));
    }
  }

  // Closes the socket for good.
  close() {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#socket?.close();
  }

  #connect() {
    this.#timer = null;
    const opened = this.#category;
    const socket = new WebSocket(new URL(`${encodeURIComponent(opened)}?notices=1`, this.#url));
    this.#socket = socket;
    socket.addEventListener("open", () => {
      this.#failures = 0;
      this.#on.state("live");
      // The category may have been switched while the socket was connecting.
      if (this.#category !== opened) this.watch(this.#category);
    });
    socket.addEventListener("message", ({ data }) => this.#receive(data));
    socket.addEventListener("close", () => this.#retryLater());
  }

  #receive(data) {
    let message;
    try {
      message = JSON.parse(data);
    } catch (error) {
      console.error("not a JSON frame:", data, error);
      return;
    }
    // An order may have a property `notice`, but a notice has no `id`.
    if (message.id === undefined && message.notice) this.#on.notice(message.notice);
    else this.#on.order(message);
  }

  // Backs off exponentially, with jitter so that many pages do not reconnect at the same time.
  #retryLater() {
    this.#socket = null;
    if (this.#isOver) return;
    const longest = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** this.#failures);
    this.#failures += 1;
    this.#on.state("offline");
    this.#timer = setTimeout(() => this.#connect(), longest * (0.5 + Math.random() / 2));
  }

  #retryNow() {
    if (this.#timer === null) return;
    clearTimeout(this.#timer);
    this.#connect();
  }
}
