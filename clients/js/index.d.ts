/**
 * Starts mockd from a test, gives each test a world of its own, and controls its clock, data and sockets.
 *
 * Durations are text as in scenarios (`"250ms"`, `"10s"`, `"1h30m"`), or numbers of milliseconds where they are given.
 * Every call rejects with a {@link MockdError} if mockd refuses it or cannot be reached.
 */
/// <reference lib="esnext.disposable" />

import type { Optional, Schema } from "./types/schema.js";
import type { World } from "./types/world.js";

export * from "./types/journal.js";
export * from "./types/world.js";

/** How to start mockd. */
export interface StartOptions {
  /**
   * The scenario: a path, relative to the working directory, or a `file:` URL. Of several, or of a folder's by name, the
   * first is served, and {@link Mockd.useScenario} switches to another.
   */
  scenario: string | URL | readonly (string | URL)[];
  /**
   * The program; otherwise what the environment variable `MOCKD_BINARY` names, otherwise that of the package for this
   * system, otherwise `mockd` on the path.
   */
  binary?: string | undefined;
  /** The port to listen on; 0, as if nothing is said, for any free one. */
  port?: number | undefined;
  /** The seed of all that is random, an integer from 0 to 2^53 - 1; otherwise the scenario's, or one by chance. */
  seed?: number | undefined;
  /** Whether clocks stand still at first, also those of worlds made later. */
  paused?: boolean | undefined;
  /** How many times as fast as the machine's the clocks go, from 0.001 to 100000; 1 if nothing is said. */
  speed?: number | undefined;
  /** More flags of `mockd run`, such as `["--no-watch"]`. Not `--quiet`, which hides that mockd is ready. */
  args?: readonly string[] | undefined;
  /** The secret that control requests need from then on; otherwise `MOCKD_CONTROL_TOKEN` of the environment, if set. */
  token?: string | undefined;
  /** How many milliseconds mockd may take until it answers; 30000 if nothing is said. */
  timeout?: number | undefined;
}

/** How to reach a mockd that runs already. */
export interface ConnectOptions {
  /** The secret it was started with; otherwise `MOCKD_CONTROL_TOKEN` of the environment, if set. */
  token?: string | undefined;
}

/** How a world starts. What is not said is as mockd was started. */
export type WorldOptions = Optional<Omit<Schema<"WorldRequest">, "name">>;

/** A world in the list of all. */
export type WorldInfo = Schema<"WorldAnswer">;

/** A scenario file that mockd was started with. */
export type ScenarioInfo = Schema<"ScenarioAnswer">;

/** What the last save or switch did. */
export type Reload = Schema<"ReloadAnswer">;

/** A mockd that runs. */
export declare class Mockd {
  protected constructor();
  /** Where it listens, without a slash at the end, such as `http://127.0.0.1:3000`. */
  readonly url: string;
  /** The seed of its default world, which worlds without one of their own have too. */
  readonly seed: number;
  /** The world of paths without `/@NAME`. It cannot be removed, only reset. */
  readonly defaultWorld: World;
  /**
   * Makes a world. Without options, one of that name that is there already is used.
   *
   * @param name - 1 to 64 letters, digits, dots, dashes, underscores or tildes.
   * @throws {@link MockdError} with status 400 for a bad name or option, with 409 if options are given and the world
   * is there already, with 503 if there are as many worlds as mockd allows.
   */
  world(name: string, options?: WorldOptions): Promise<World>;
  /** All worlds: the default one, then the others by name. */
  worlds(): Promise<WorldInfo[]>;
  /** The scenario files that it was started with, in order. Folders are looked at anew each time. */
  scenarios(): Promise<ScenarioInfo[]>;
  /**
   * Serves another of its scenario files from now on, in all worlds, and follows it. Open sockets stay, and so does what
   * is the same in both files.
   *
   * @param file - As {@link Mockd.scenarios} lists it, or as it was given at the start.
   * @throws {@link MockdError} with status 404 if it is none of them, with 422 if it is broken; nothing changes then.
   */
  useScenario(file: string | URL): Promise<Reload>;
}

/** A mockd of our own. It ends with this process at the latest, except on Windows. */
export declare class StartedMockd extends Mockd implements AsyncDisposable {
  /** The number of its process. */
  readonly pid: number;
  /** Stops it and waits for its end. To call it again does no harm. */
  stop(): Promise<void>;
  /** As {@link StartedMockd.stop}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Starts mockd and waits until it answers.
 *
 * @throws Error with what mockd printed if it ends before it is ready, as with a scenario that is wrong, is not found
 * or is not ready in time.
 */
export declare function startMockd(options: StartOptions): Promise<StartedMockd>;

/**
 * Uses a mockd that runs already, which is not stopped.
 *
 * @param url - Where it listens, such as `http://127.0.0.1:3000`.
 * @throws {@link MockdError} if it cannot be reached, or with status 401 or 403 if it does not let us control it.
 */
export declare function connectMockd(url: string | URL, options?: ConnectOptions): Promise<Mockd>;

/** mockd refused a request, or could not be reached. */
export declare class MockdError extends Error {
  private constructor();
  /** The status code of the answer; missing if there was none, in which case `cause` says why. */
  readonly status: number | undefined;
  /** The field of the request that is wrong, such as `orders[2].amount`, if it is one. */
  readonly field: string | undefined;
}
