import type { Duration } from "./world.js";

/** Something that happened in a world. `at` is the world's time, `sequence` counts up from 1. */
export type WorldEvent = { at: string; sequence: number } & (
  | { /** A product's order total has a new value. */ event: "total"; id: string; category: string; total: number }
  | { /** A product was added or taken out. */ event: "added" | "removed"; id: string; category: string }
  | { /** Something that was due could not be done. */ event: "skipped"; /** Missing for orders of the shop. */ rule?: string; reason: string }
);

/** Requests, sockets opened and closed, frames to and from sockets, sockets that fell behind, what faults did, rules that failed. */
export type Kind = "request" | "opened" | "closed" | "sent" | "received" | "behind" | "faulted" | "failed";

/** Which entries to list: all that have what is given. */
export interface JournalFilter {
  kind?: Kind;
  /** A request's method, in any case. */
  method?: string;
  /** A request's path below the world's prefix, decoded; `*` stands for anything. With the kind `opened`, that of a stream. */
  path?: string;
  /** The key of the route that answered a request, as the scenario has it, such as `GET /todos/{id}`. */
  route?: string;
  /** The status code of a request's answer. */
  status?: number;
  /** A socket's number. */
  socket?: number;
  /** The category that a socket was opened with. */
  category?: string;
  /** The close code that a socket ended with. */
  code?: number;
  /**
   * The number of the rule that fits a message, from 1, or what a rule is called that failed, such as `triggers/orders` or
   * `websocket /rooms/{room}, rule 2`.
   */
  rule?: number | string;
  /** Why a rule failed; `*` stands for anything. */
  why?: string;
  /** Text in the body of a request or in a frame. */
  bodyContains?: string;
  /** Only entries after that number. */
  after?: number;
  /** So many entries at the most, the first of them. */
  limit?: number;
}

/**
 * Entries that a test expects. Preflights count only with a `method` of `OPTIONS`. Without `atLeast`, `atMost` and `exactly`,
 * there has to be at least one.
 */
export interface Expectation extends Omit<JournalFilter, "limit"> {
  /** A request's query without its question mark; `*` stands for anything. */
  query?: string;
  /** Headers of a request by name, in any case; `*` in a value stands for anything. */
  headers?: Record<string, string>;
  /** JSON in the body of a request or in a frame: of objects these keys, everything else as it is. */
  body?: unknown;
  /** The whole JSON of the body of a request or of a frame. Not beside `body`. */
  bodyEquals?: unknown;
  /** At least so many. */
  atLeast?: number;
  /** So many at the most. */
  atMost?: number;
  /** Exactly so many. Not beside `atLeast` or `atMost`. */
  exactly?: number;
}

/** How several expectations belong together. */
export interface ExpectOptions {
  /** Whether the entries of each have to come after those of the one before. */
  ordered?: boolean;
}

/** A body or a frame: its JSON, otherwise its text, otherwise its number of bytes. The first 64 KiB are kept. */
export interface Payload {
  body?: unknown;
  text?: string;
  bytes?: number;
  /** Its full length in bytes, if that is not all of it. */
  cutFrom?: number;
}

/** What happened between a world and its clients. `sequence` counts up from 1, `at` is the world's time. */
export type JournalEntry = { sequence: number; at: string; world: string } & (
  | ({
      kind: "request";
      method: string;
      path: string;
      query?: string;
      /** The key of the route that answered it, if one of the scenario's `http` did. */
      route?: string;
      /** By lower-case name. */
      headers: Record<string, string>;
      /** Missing as long as there is none. */
      answer?: Payload & { status: number; /** Which of its route's answers it is, from 1. */ number?: number };
    } & Payload)
  | { kind: "opened"; socket: number; category: string }
  | { kind: "opened"; socket: number; /** The path of the request that the stream answers. */ stream: string }
  | { kind: "closed"; socket: number; code: number | null; by: "client" | "server" }
  | ({ kind: "sent"; sockets: number[]; /** The event that it tells of. */ event?: number } & Payload)
  | ({ kind: "received"; socket: number } & Payload)
  | { kind: "behind"; socket: number }
  | { kind: "faulted"; socket: number; fault: string; /** What the fault did. */ did: string; event?: number }
  | { kind: "failed"; rule: string; /** With the place in the scenario. */ why: string; /** Of a socket's or a stream's rule. */ socket?: number }
);

/** How many entries are no longer in a journal, because it is bounded. */
export interface Dropped {
  /** Frames to sockets. */
  sent: number;
  /** Everything else. */
  other: number;
}

/** One thing in which an entry is not as expected. */
export interface Difference {
  /** The expectation's field with the way into a body, such as `body.amount`. */
  field: string;
  expected: unknown;
  /** What there is; null if there is no such thing. */
  found: unknown;
}

/** What was found for one expectation. */
export interface Finding {
  pass: boolean;
  /** How many entries were expected, in words. */
  expected: string;
  count: number;
  /** Their numbers. */
  matches: number[];
  /** What is wrong, in words; missing if nothing is. */
  why?: string;
  /** If there are too few: the entries that differ least, the nearest first. */
  nearest?: { entry: JournalEntry; differences: Difference[] }[];
}

/** Whether a journal is as expected. */
export interface Verdict {
  /** Whether every expectation holds. */
  pass: boolean;
  /** Of each expectation, in order. */
  findings: Finding[];
  dropped: Dropped;
}

/** What happened between a world and its clients: requests, sockets and frames. */
export interface Journal {
  /** The entries that have what is given, in order. */
  list(filter?: JournalFilter): Promise<{ entries: JournalEntry[]; dropped: Dropped }>;
  /** Forgets everything and counts from 1 again. */
  clear(): Promise<void>;
  /**
   * Waits until the journal is as expected, which it may be already; `after` leaves out what is there.
   * @param options - `timeout` is by the machine's time; 5 seconds if nothing is said, 10 minutes at the most.
   * @throws VerificationError if it is not in time.
   */
  waitFor(expectation: Expectation, options?: { timeout?: Duration }): Promise<Verdict>;
}

/** The journal is not as expected; the message lists what is wrong, with the entries that come nearest. */
export declare class VerificationError extends Error {
  private constructor();
  readonly verdict: Verdict;
}
