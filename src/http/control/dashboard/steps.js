// What the user did by hand, as a YAML script to paste into a scenario.

import { copy, find } from "./dom.js";
import { millis } from "./time.js";

// The number of steps that are kept. Nobody does more than that by hand.
export const KEPT = 200;

// Words that YAML parsers do not read as text (YAML 1.1, the types bool and null).
const WORDS = /^(y|yes|n|no|on|off|true|false|null)$/i;

const text = (value) =>
  JSON.stringify(value).replace(/[\u007f-\u00a0\u2028\u2029\ufeff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);

// A value in YAML's flow style, which needs no line breaks.
const flow = (value) => {
  if (Array.isArray(value)) return `[${value.map(flow).join(", ")}]`;
  if (value === null || typeof value !== "object") return text(value);
  const key = (name) => (/^[a-z][\w-]*$/i.test(name) && !WORDS.test(name) ? name : text(name));
  return `{ ${Object.entries(value).map(([name, inner]) => `${key(name)}: ${flow(inner)}`).join(", ")} }`;
};

// The number of recordings that are kept. A new one starts whenever the world's time goes back.
const RECORDINGS = 5;

const span = (from, to) => `${Math.max(0, Math.round(to - from))}ms`;

// A script, as an item of a list.
const script = (steps, name) => [
  `    - name: ${name}`,
  "      steps:",
  ...steps.map(({ at, step }) => `        - ${flow({ at: span(steps[0].at, at), ...step })}`),
];

export class Steps {
  #recordings = [[]];
  #now = 0;
  // The keys that the scenario already has, so that the text does not declare them twice.
  #has = { orders: false, scripts: false };

  constructor() {
    find("#copy-steps").addEventListener("click", () => copy(find("#steps")));
    find("#forget-steps").addEventListener("click", () => this.clear());
    this.#show();
  }

  // Notes the current state of the world. If its time went back, a new recording starts.
  see(at, { scripts, generators }) {
    const now = millis(at);
    if (now < this.#now && this.#recordings.at(-1).length > 0) this.#recordings = [...this.#recordings, []].slice(-RECORDINGS);
    this.#now = now;
    // Scripts of general steps are declared elsewhere.
    const hasScripts = scripts.some(({ length }) => length !== null);
    const has = { orders: hasScripts || generators.some(({ declared }) => declared.amount !== undefined), scripts: hasScripts };
    if (has.orders === this.#has.orders && has.scripts === this.#has.scripts) return;
    this.#has = has;
    this.#show();
  }

  // Adds a step at a time of the world.
  add(at, step) {
    const steps = [...this.#recordings.at(-1), { at: millis(at), step }].sort((one, other) => one.at - other.at);
    this.#recordings[this.#recordings.length - 1] = steps.slice(-KEPT);
    this.#show();
  }

  // Records the end of a fault that was added.
  endFault(at, fault) {
    const added = this.#recordings.at(-1).findLast(({ step }) => JSON.stringify(step.fault) === JSON.stringify(fault));
    if (added) added.step = { fault: { ...fault, until: span(added.at, Math.max(millis(at), added.at + 1)) } };
    this.#show();
  }

  clear() {
    this.#recordings = [[]];
    this.#show();
  }

  #show() {
    const { orders, scripts } = this.#has;
    const made = this.#recordings.filter((steps) => steps.length > 0);
    const head = [...(orders ? [] : ["orders:"]), ...(scripts ? [] : ["  scripts:"])];
    const lines = made.flatMap((steps, at) => script(steps, made.length > 1 ? `by hand ${at + 1}` : "by hand"));
    find("#steps").value = made.length === 0 ? "# Nothing recorded yet. Order something." : [...head, ...lines, ""].join("\n");
    find("#recorded").textContent = `${made.flat().length} steps`;
    const where = scripts ? "at the end of the list orders.scripts" : orders ? "below orders" : "at the end";
    find("#where").textContent = `Paste it into the scenario file, ${where}.`;
  }
}
