import type { Expectation, ExpectOptions, Journal, Verdict, WorldEvent } from "./journal.js";
import type { Schema } from "./schema.js";

/** A duration: a string as in scenarios, such as `"250ms"`, `"10s"` or `"1h30m"`, or a number of milliseconds. */
export type Duration = string | number;

/** The state of a world's clock. */
export type ClockState = Schema<"ClockAnswer">;

/** The clock after an advance, and the events that the advance caused. */
export type Advanced = Schema<"Advanced">;

/** A world's clock. */
export interface Clock {
  get(): Promise<ClockState>;
  /** Pauses the clock. */
  pause(): Promise<ClockState>;
  /** Resumes the clock. */
  resume(): Promise<ClockState>;
  /** Sets the speed relative to real time, from 0.001 to 100000. */
  speed(factor: number): Promise<ClockState>;
  /** Advances the clock and runs all events in between. Resolves once they have been sent to all open sockets. */
  advance(by: Duration): Promise<Advanced>;
  /**
   * Advances the clock to a time since the world's start and runs all events in between.
   * @throws MockdError with field `advance_to` if that time has passed.
   */
  advanceTo(at: Duration): Promise<Advanced>;
  /** Runs the next `count` script steps and random orders. `count` defaults to 1. */
  step(count?: number): Promise<Advanced>;
}

/** A saved state of a world. */
export type Snapshot = Schema<"SnapshotAnswer">;

/** The saved states of a world. A reset deletes them. */
export interface Snapshots {
  list(): Promise<Snapshot[]>;
  /** Saves the current state; replaces a snapshot of the same name. A name has 1 to 100 characters. */
  save(name: string): Promise<void>;
  /** Restores a snapshot. Open sockets receive its totals. */
  restore(name: string): Promise<void>;
  delete(name: string): Promise<void>;
}

/** An open socket or stream. */
export type Socket = Schema<"SocketAnswer">;

/** The content of a frame: one of `text`, `json` and `binary`. A stream receives it as an event. */
export type FrameContent =
  | { /** A text frame. */ text: string }
  | { /** A text frame with this value as JSON. */ json: unknown }
  | { /** A binary frame. */ binary: Uint8Array };

/** A frame for one socket or, without `socket`, for all sockets of the world. */
export type Frame = { socket?: number } & FrameContent;

/** The open sockets and streams of a world. */
export interface Sockets {
  /** Returns all sockets, in the order in which they were opened. */
  list(): Promise<Socket[]>;
  /**
   * Closes one socket or, without `socket`, all sockets of the world. Resolves with their numbers. A stream has no
   * close code; it just ends.
   * @param how - `code` is 1000 to 1003, 1007 to 1014 or 3000 to 4999, by default 1000; `reason` has at most 123 bytes.
   */
  close(how?: { socket?: number; code?: number; reason?: string }): Promise<number[]>;
  /** Sends a frame unchanged. */
  send(frame: Frame): Promise<void>;
}

/** The topics that sockets and streams join. */
export interface Topics {
  /** Sends a frame to all members of a topic, like a step `send`. Resolves with the resulting events. */
  send(topic: string, frame: FrameContent): Promise<WorldEvent[]>;
}

/**
 * A fault to inject, as in scenarios. `on` selects the target; `method`, `path`, `category`, `product`, `topic`,
 * `share`, `skip`, `times`, `from` and `until` narrow it; exactly one other key selects the effect.
 */
export type FaultDeclaration = Schema<"fault">;

/** A fault and its state. */
export type Fault = Schema<"FaultAnswer">;

/** The injected faults of a world. A reset restores the scenario's faults. */
export interface Faults {
  list(): Promise<Fault[]>;
  /** Returns a fault by number or name. */
  get(fault: number | string): Promise<Fault>;
  /** Adds a fault. Its times count from now. */
  add(fault: FaultDeclaration): Promise<Fault>;
  /** Replaces a fault. The new one starts from the beginning. */
  change(fault: number | string, into: FaultDeclaration): Promise<Fault>;
  /** Removes a fault. */
  remove(fault: number | string): Promise<void>;
  /** Removes all faults. */
  clear(): Promise<void>;
}

/** The state of a world. */
export type WorldState = Schema<"StateAnswer">;

/** A step, as in scenarios. */
export type Step = Schema<"ruleStep">;

/** An isolated copy of the scenario with its own data, totals, clock, sockets and journal. */
export declare class World {
  private constructor();
  readonly name: string;
  /** The base URL of the world's API, without a trailing slash. The browser app is at `url + "/"`. */
  readonly url: string;
  readonly clock: Clock;
  readonly snapshots: Snapshots;
  readonly journal: Journal;
  readonly sockets: Sockets;
  readonly topics: Topics;
  readonly faults: Faults;
  /** Returns the URL of a category's live orders, such as `ws://127.0.0.1:3000/@a/orders/electronics`. */
  wsUrl(category: string): string;
  /** Returns the current state of the world. */
  state(): Promise<WorldState>;
  /** Returns a current value of `data` or the rows of a collection, by name; without a name, all of `data`. */
  data(): Promise<Record<string, unknown>>;
  data<T = unknown>(name: string): Promise<T>;
  /** Sets values of `data` and the rows of its collections, all or none. Resolves with the resulting events. */
  setData(data: Record<string, unknown>): Promise<WorldEvent[]>;
  /**
   * Runs steps, written as in a scenario, all or none. Steps with a later time are scheduled in the world. Resolves
   * with the resulting events.
   */
  steps(steps: readonly Step[]): Promise<WorldEvent[]>;
  /** Sets totals by product id, all or none. Resolves with the resulting events. */
  setTotals(totals: Record<string, number>): Promise<WorldEvent[]>;
  /** Places orders, all or none. Resolves with the resulting events. */
  orders(orders: readonly Schema<"OrderRequest">[]): Promise<WorldEvent[]>;
  /** Resets the world to the scenario's start, optionally with a new seed. Open sockets receive the initial totals. */
  reset(options?: { seed?: number }): Promise<void>;
  /**
   * Returns every event since the start or reset, or those with a number greater than `after`, one JSON object per
   * line. The transcript is the same for the same seed.
   * @throws RangeError if some of them are no longer kept; a world keeps the last 100,000.
   */
  transcript(options?: { after?: number }): Promise<string>;
  /** Returns the transcript's lines as objects. */
  events(options?: { after?: number }): Promise<WorldEvent[]>;
  /**
   * Checks that the journal meets all expectations. With `ordered`, the entries of each expectation must come after
   * those of the previous one.
   * @throws VerificationError with the failed expectations and the nearest entries.
   */
  verify(expectations: Expectation | readonly Expectation[], options?: ExpectOptions): Promise<Verdict>;
  /** Removes the world and closes its sockets. */
  remove(): Promise<void>;
}
