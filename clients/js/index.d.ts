/**
 * Starts mockd from a test, gives each test its own world, and controls that world's clock, data and sockets.
 *
 * Durations are strings as in scenarios (`"250ms"`, `"10s"`, `"1h30m"`). Arguments may also be numbers of milliseconds.
 * Every call rejects with a {@link MockdError} if mockd rejects the request or cannot be reached.
 */
/// <reference lib="esnext.disposable" />

import type { Optional, Schema } from "./types/schema.js";
import type { World } from "./types/world.js";

export * from "./types/journal.js";
export * from "./types/world.js";

/** Options of {@link startMockd}. */
export interface StartOptions {
  /**
   * The scenario: a path, relative to the working directory, or a `file:` URL. Of a list, or of a folder's files in
   * order of name, mockd serves the first. {@link Mockd.useScenario} switches to another.
   */
  scenario: string | URL | readonly (string | URL)[];
  /**
   * The mockd program. Defaults to the environment variable `MOCKD_BINARY`, then to the program in the package for this
   * system, then to `mockd` on the `PATH`.
   */
  binary?: string | undefined;
  /** The port to listen on. Defaults to 0, which picks a free port. */
  port?: number | undefined;
  /** The seed of every random choice, an integer from 0 to 2^53 - 1. Defaults to the scenario's, or a random one. */
  seed?: number | undefined;
  /** Whether clocks start paused, including those of worlds created later. */
  paused?: boolean | undefined;
  /** The speed of the clocks relative to real time, from 0.001 to 100000. Defaults to 1. */
  speed?: number | undefined;
  /** More flags for `mockd run`, such as `["--no-watch"]`. Not `--quiet`, which suppresses the ready line. */
  args?: readonly string[] | undefined;
  /** The secret that control requests must send. Defaults to the environment variable `MOCKD_CONTROL_TOKEN`, if set. */
  token?: string | undefined;
  /** The time limit for the start, in milliseconds. Defaults to 30000. */
  timeout?: number | undefined;
}

/** Options of {@link connectMockd}. */
export interface ConnectOptions {
  /** The secret that mockd was started with. Defaults to the environment variable `MOCKD_CONTROL_TOKEN`, if set. */
  token?: string | undefined;
}

/** Options of a new world. They default to the options that mockd was started with. */
export type WorldOptions = Optional<Omit<Schema<"WorldRequest">, "name">>;

/** A world in the list of worlds. */
export type WorldInfo = Schema<"WorldAnswer">;

/** A scenario file that mockd was started with. */
export type ScenarioInfo = Schema<"ScenarioAnswer">;

/** The result of the last save or switch. */
export type Reload = Schema<"ReloadAnswer">;

/** A running mockd. */
export declare class Mockd {
  protected constructor();
  /** The address of mockd, without a trailing slash, such as `http://127.0.0.1:3000`. */
  readonly url: string;
  /** The seed of the default world and of all worlds created without a seed. */
  readonly seed: number;
  /** The world of paths without `/@NAME`. It cannot be removed, only reset. */
  readonly defaultWorld: World;
  /**
   * Creates a world. Without options, returns the existing world of that name, if there is one.
   *
   * @param name - 1 to 64 letters, digits, dots, dashes, underscores or tildes.
   * @throws {@link MockdError} with status 400 for an invalid name or option, with 409 if options are given and the
   * world already exists, with 503 if the maximum number of worlds is reached.
   */
  world(name: string, options?: WorldOptions): Promise<World>;
  /** All worlds: the default one, then the others by name. */
  worlds(): Promise<WorldInfo[]>;
  /** The scenario files that mockd was started with, in order. Folders are read again on each call. */
  scenarios(): Promise<ScenarioInfo[]>;
  /**
   * Switches all worlds to another of the scenario files, and watches it for changes. Open sockets stay open, and state
   * whose declaration is the same in both files is kept.
   *
   * @param file - The file as listed by {@link Mockd.scenarios}, or as given at the start.
   * @throws {@link MockdError} with status 404 if the file is not one of them, with 422 if it is invalid. Nothing
   * changes in either case.
   */
  useScenario(file: string | URL): Promise<Reload>;
}

/** A mockd started by this process. It stops when this process exits, except on Windows. */
export declare class StartedMockd extends Mockd implements AsyncDisposable {
  /** The process id. */
  readonly pid: number;
  /** Stops mockd and waits until it has exited. Further calls have no effect. */
  stop(): Promise<void>;
  /** Calls {@link StartedMockd.stop}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Starts mockd and waits until it answers.
 *
 * @throws Error if the program is not found, or exits before it is ready, as it does for an invalid scenario, or is not
 * ready in time. The message contains the output of mockd.
 */
export declare function startMockd(options: StartOptions): Promise<StartedMockd>;

/**
 * Connects to a running mockd. The client never stops it.
 *
 * @param url - The address of mockd, such as `http://127.0.0.1:3000`.
 * @throws {@link MockdError} if mockd cannot be reached, or with status 401 or 403 if it denies control access.
 */
export declare function connectMockd(url: string | URL, options?: ConnectOptions): Promise<Mockd>;

/** mockd rejected a request or could not be reached. */
export declare class MockdError extends Error {
  private constructor();
  /** The status code of the answer. `undefined` if mockd did not answer; `cause` is the reason. */
  readonly status: number | undefined;
  /** The invalid field of the request, such as `orders[2].amount`, if a field is at fault. */
  readonly field: string | undefined;
}
