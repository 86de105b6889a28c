import type { Optional, Query, Schema } from "./schema.js";
import type { Duration } from "./world.js";

/** Something that happened in a world. `at` is the world's time, `sequence` counts up from 1. */
export type WorldEvent = Schema<"EventShape">;

/** Requests, sockets opened and closed, frames to and from sockets, sockets that fell behind, what faults did, rules that failed. */
export type Kind = Schema<"Kind">;

/** Which entries to list: all that have what is given. */
export type JournalFilter = Optional<Query<"getJournal">>;

/**
 * Entries that a test expects. Preflights count only with a `method` of `OPTIONS`. Without `atLeast`, `atMost` and `exactly`,
 * there has to be at least one.
 */
export type Expectation = Optional<Schema<"Expectation">>;

/** How several expectations belong together. */
export interface ExpectOptions {
  /** Whether the entries of each have to come after those of the one before. */
  ordered?: boolean;
}

/** What happened between a world and its clients. `sequence` counts up from 1, `at` is the world's time. */
export type JournalEntry = Schema<"EntryShape">;

/** How many entries are no longer in a journal, because it is bounded. */
export type Dropped = Schema<"Dropped">;

/** One thing in which an entry is not as expected. */
export type Difference = Schema<"Difference">;

/** What was found for one expectation. */
export type Finding = Schema<"Finding">;

/** Whether a journal is as expected. */
export type Verdict = Schema<"Verdict">;

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
