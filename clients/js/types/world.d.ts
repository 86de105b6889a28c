import type { Expectation, ExpectOptions, Journal, Verdict, WorldEvent } from "./journal.js";

/** A duration: text as in scenarios, such as `"250ms"`, `"10s"` or `"1h30m"`, or a number of milliseconds. */
export type Duration = string | number;

/** How a world's clock goes. */
export interface ClockState {
  /** The world's time since its start or reset. */
  at: string;
  /** Whether it stands still. */
  paused: boolean;
  /** How many seconds of the world pass in one of the machine's while it does not stand still. */
  speed: number;
  /** When the next script step or random order is due; null if nothing happens by itself any more. */
  nextDue: string | null;
}

/** The clock after an advance, and what happened by it. */
export interface Advanced extends ClockState {
  /** How many events there were. */
  count: number;
  /** The events, 10,000 at the most; the transcript has more. */
  events: WorldEvent[];
  /** Sockets that wrote nothing for a second and may not have everything yet. */
  leftBehind: number[];
}

/** A world's time. */
export interface Clock {
  get(): Promise<ClockState>;
  /** Lets it stand still. */
  pause(): Promise<ClockState>;
  /** Lets it go on. */
  resume(): Promise<ClockState>;
  /** Makes it go so many times as fast as the machine's, from 0.001 to 100000. */
  speed(factor: number): Promise<ClockState>;
  /** Lets everything of the next while happen now. Resolves when open sockets have been sent all of it. */
  advance(by: Duration): Promise<Advanced>;
  /**
   * Lets everything until that time since the world's start happen now.
   * @throws MockdError with field `advance_to` if that time is over.
   */
  advanceTo(at: Duration): Promise<Advanced>;
  /** Lets so many of the next script steps and random orders happen now; 1 if nothing is said. */
  step(count?: number): Promise<Advanced>;
}

/** A moment that a world can go back to. */
export interface Snapshot {
  name: string;
  /** The world's time in it. */
  at: string;
}

/** Moments that a world can go back to. They are gone after a reset. */
export interface Snapshots {
  list(): Promise<Snapshot[]>;
  /** Keeps this moment; replaces one of the same name, which has 1 to 100 characters. */
  save(name: string): Promise<void>;
  /** Goes back to it; open sockets get the totals of then. */
  restore(name: string): Promise<void>;
  delete(name: string): Promise<void>;
}

/** An open socket or stream. */
export type Socket = {
  /** Its number, from 1 in each world. */
  socket: number;
  /** The name of its world. */
  world: string;
  /** The world's time when it was opened. */
  opened: string;
  /** How long it is open, by the machine's time. */
  age: string;
  /** Frames or events written to it. */
  sent: number;
  /** Frames that came from it. */
  received: number;
  /** Frames or events that wait to be written to it. */
  backlog: number;
  /** How often it was so far behind that it got what is so now instead of what it had missed. */
  caughtUp: number;
} & (
  | { /** The category that a socket asked for last. */ category: string; stream?: undefined }
  | { category?: undefined; /** The path of the request that a stream answers. */ stream: string }
);

/** What is in a frame: one of `text`, `json` and `binary`. A stream gets it as an event. */
export type FrameContent =
  | { /** A text frame. */ text: string }
  | { /** A text frame with this as JSON. */ json: unknown }
  | { /** A binary frame. */ binary: Uint8Array };

/** A frame to one socket or, without `socket`, to all of the world. */
export type Frame = { socket?: number } & FrameContent;

/** The sockets that are open in a world. */
export interface Sockets {
  /** In the order in which they were opened. */
  list(): Promise<Socket[]>;
  /**
   * Closes one socket or, without `socket`, all of the world. Resolves with their numbers. A stream just ends.
   * @param how - `code` is 1000 to 1003, 1007 to 1014 or 3000 to 4999, 1000 if nothing is said; `reason` has 123 bytes
   * at the most.
   */
  close(how?: { socket?: number; code?: number; reason?: string }): Promise<number[]>;
  /** Sends a frame as it is. */
  send(frame: Frame): Promise<void>;
}

/** The topics that sockets and streams join. */
export interface Topics {
  /** Sends a frame to all who have joined a topic, as a step `send` does. Resolves with what happened. */
  send(topic: string, frame: FrameContent): Promise<WorldEvent[]>;
}

/**
 * What goes wrong on purpose, as in scenarios: `on` says what it hits, `method`, `path`, `category`, `product`, `topic`,
 * `share`, `skip`, `times`, `from` and `until` narrow that, and exactly one other key says what goes wrong.
 */
export interface FaultDeclaration {
  name?: string;
  on: "http" | "websocket" | "stream";
  [key: string]: unknown;
}

/** A fault and how it is. */
export interface Fault {
  /** Its number, from 1 in each world. */
  id: number;
  /** What messages and the journal call it. */
  label: string;
  source: "scenario" | "script" | "api";
  phase: "waiting" | "active" | "over";
  /** The world's time when it begins or began. */
  from: string;
  /** The world's time when it ends; null if it does not by itself. */
  until: string | null;
  /** Requests, handshakes or sockets that it could have hit so far. */
  matched: number;
  /** Those that it has hit. */
  hit: number;
  fault: FaultDeclaration;
}

/** What goes wrong on purpose in a world. A reset leaves those of the scenario. */
export interface Faults {
  list(): Promise<Fault[]>;
  /** One fault, by number or name. */
  get(fault: number | string): Promise<Fault>;
  /** Brings a fault; its times count from now. */
  add(fault: FaultDeclaration): Promise<Fault>;
  /** Puts another in the place of a fault, which starts over. */
  change(fault: number | string, into: FaultDeclaration): Promise<Fault>;
  /** Lifts a fault for good. */
  remove(fault: number | string): Promise<void>;
  /** Lifts all. */
  clear(): Promise<void>;
}

/** A world at one moment. */
export interface WorldState extends ClockState {
  /** The world's name. */
  world: string;
  /** The scenario's name. */
  scenario: string;
  /** The seed of all that is random. A world that starts with it does the same again. */
  seed: number;
  /** The number of the last event. */
  sequence: number;
  /** The categories in declared order: name, what ids of added products start with, number of products. */
  categories: { name: string; prefix: string; products: number }[];
  /** Every product's order total by id. */
  totals: Record<string, number>;
  /** How many sockets are open. */
  sockets: number;
  /** The faults that are in force. */
  faults: Fault[];
  snapshots: Snapshot[];
}

/** An isolated copy of the scenario with totals, products, clock, sockets and journal of its own. */
export declare class World {
  private constructor();
  readonly name: string;
  /** What its API's paths begin with, without a slash at the end. The browser app is at `url + "/"`. */
  readonly url: string;
  readonly clock: Clock;
  readonly snapshots: Snapshots;
  readonly journal: Journal;
  readonly sockets: Sockets;
  readonly topics: Topics;
  readonly faults: Faults;
  /** The address of a category's live orders, such as `ws://127.0.0.1:3000/@a/orders/electronics`. */
  wsUrl(category: string): string;
  /** The world at this moment. */
  state(): Promise<WorldState>;
  /** What a name of `data` is now: a value, or the rows of a collection; all of `data` without a name. */
  data(): Promise<Record<string, unknown>>;
  data<T = unknown>(name: string): Promise<T>;
  /** Sets values of `data` and the rows of its collections, all or none. */
  setData(data: Record<string, unknown>): Promise<WorldEvent[]>;
  /** Carries out steps, written as in a scenario, all or none. Later ones belong to the world. */
  steps(steps: Record<string, unknown>[]): Promise<WorldEvent[]>;
  /** Sets totals by product id, all or none. Resolves with what that changed. */
  setTotals(totals: Record<string, number>): Promise<WorldEvent[]>;
  /** Carries out orders, all or none. Resolves with what happened. */
  orders(orders: readonly { id: string | number; amount: number }[]): Promise<WorldEvent[]>;
  /** Back to the scenario's start, with another seed if one is given; open sockets stay and get the totals of then. */
  reset(options?: { seed?: number }): Promise<void>;
  /**
   * Every event since the start or reset, or after that number, one JSON object a line: the same for the same seed.
   * @throws RangeError if some are no longer kept; a world keeps the last 100,000.
   */
  transcript(options?: { after?: number }): Promise<string>;
  /** The transcript's lines as objects. */
  events(options?: { after?: number }): Promise<WorldEvent[]>;
  /**
   * Holds the journal against expectations, all of which have to hold. With `ordered`, the entries of each have to come
   * after those of the one before.
   * @throws VerificationError with what is wrong and what comes nearest.
   */
  verify(expectations: Expectation | readonly Expectation[], options?: ExpectOptions): Promise<Verdict>;
  /** Removes the world and closes its sockets. */
  remove(): Promise<void>;
}
