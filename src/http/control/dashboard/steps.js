// What was done by hand, as a script in YAML that can be pasted into a scenario.

import { copy, find } from "./dom.js";
import { millis } from "./time.js";

// The last ones are enough: nobody does more than that by hand.
export const KEPT = 200;

// Words that YAML readers take for something else than text (YAML 1.1, the types bool and null).
const WORDS = /^(y|yes|n|no|on|off|true|false|null)$/i;

const text = (value) =>
  JSON.stringify(value).replace(/[\u007f-\u00a0\u2028\u2029\ufeff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);

// A value in YAML's flow style, in which it needs no line breaks.
const flow = (value) => {
  if (Array.isArray(value)) return `[${value.map(flow).join(", ")}]`;
  if (value === null || typeof value !== "object") return text(value);
  const key = (name) => (/^[a-z][\w-]*$/i.test(name) && !WORDS.test(name) ? name : text(name));
  return `{ ${Object.entries(value).map(([name, inner]) => `${key(name)}: ${flow(inner)}`).join(", ")} }`;
};

const span = (from, to) => `${Math.max(0, Math.round(to - from))}ms`;

export class Steps {
  #steps = [];

  constructor() {
    find("#copy-steps").addEventListener("click", () => copy(find("#steps")));
    find("#forget-steps").addEventListener("click", () => this.clear());
    this.#show();
  }

  // Adds what was done at that time of the world.
  add(at, step) {
    this.#steps = [...this.#steps, { at: millis(at), step }].sort((one, other) => one.at - other.at).slice(-KEPT);
    this.#show();
  }

  // A fault that was brought is over.
  lifted(at, fault) {
    const brought = this.#steps.findLast(({ step }) => JSON.stringify(step.fault) === JSON.stringify(fault));
    if (brought) brought.step = { fault: { ...fault, until: span(brought.at, Math.max(millis(at), brought.at + 1)) } };
    this.#show();
  }

  clear() {
    this.#steps = [];
    this.#show();
  }

  #show() {
    const first = this.#steps[0]?.at;
    const lines = this.#steps.map(({ at, step }) => `        - ${flow({ at: span(first, at), ...step })}`);
    const head = ["orders:", "  scripts:", "    - name: by hand", "      steps:"];
    find("#steps").value = lines.length === 0 ? "# Nothing yet: order something." : [...head, ...lines, ""].join("\n");
    find("#recorded").textContent = `${lines.length} steps`;
  }
}
