// Durations as the scenario language writes them: 1m2s500ms.

const UNITS = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1e3, m: 6e4, h: 3.6e6, d: 8.64e7 };

export const millis = (text) =>
  [...text.matchAll(/([\d.]+)(ns|us|µs|ms|s|m|h|d)/g)].reduce((sum, [, number, unit]) => sum + number * UNITS[unit], 0);

// Drops the units below milliseconds, which nobody reads.
export const short = (text) => text.replace(/(?<=\D)\d+(µs|us|ns)/g, "").replace(/^\d+(µs|us|ns)$/, "0s") || "0s";
