import type { Optional, Query, Schema } from "./schema.js";
import type { Duration } from "./world.js";

/** An event in a world. `at` is the world's time; `sequence` counts up from 1. */
export type WorldEvent = Schema<"EventShape">;

/**
 * The kind of an entry: a request, an opened or closed socket, a frame to or from sockets, a lagging socket, the effect
 * of a fault, or a failed rule.
 */
export type Kind = Schema<"Kind">;

/** A filter for entries. An entry must match all given properties. */
export type JournalFilter = Optional<Query<"getJournal">>;

/**
 * Entries that a test expects. Preflight requests count only if `method` is `OPTIONS`. Without `atLeast`, `atMost` and
 * `exactly`, at least one entry must match.
 */
export type Expectation = Optional<Schema<"Expectation">>;

/** Options for several expectations. */
export interface ExpectOptions {
  /** Whether the entries of each expectation must come after those of the previous one. */
  ordered?: boolean;
}

/** An interaction between a world and its clients. `sequence` counts up from 1; `at` is the world's time. */
export type JournalEntry = Schema<"EntryShape">;

/** The number of entries that are no longer in the journal, because its size is bounded. */
export type Dropped = Schema<"Dropped">;

/** A difference between an entry and an expectation. */
export type Difference = Schema<"Difference">;

/** The result for one expectation. */
export type Finding = Schema<"Finding">;

/** The result for all expectations. */
export type Verdict = Schema<"Verdict">;

/** The interactions between a world and its clients: requests, sockets and frames. */
export interface Journal {
  /** Returns the entries that match the filter, in order. */
  list(filter?: JournalFilter): Promise<{ entries: JournalEntry[]; dropped: Dropped }>;
  /** Removes all entries and restarts their numbering at 1. */
  clear(): Promise<void>;
  /**
   * Waits until the journal meets the expectation. Existing entries count; `after` in the expectation excludes them.
   * @param options - `timeout` is in real time. It defaults to 5 seconds and is at most 10 minutes.
   * @throws VerificationError if the expectation is not met in time.
   */
  waitFor(expectation: Expectation, options?: { timeout?: Duration }): Promise<Verdict>;
}

/** The journal does not meet the expectations. The message lists the failed ones, each with the nearest entries. */
export declare class VerificationError extends Error {
  private constructor();
  readonly verdict: Verdict;
}
