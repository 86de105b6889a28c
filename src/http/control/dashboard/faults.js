// Faults as switches. One that is lifted here stays in the list, so that it can be brought again.

import { world } from "./api.js";
import { button, element, find, keep } from "./dom.js";

const LIFTED = `mockd-lifted-${world}`;

const PRESETS = {
  "503 for every POST": { on: "http", method: "POST", status: 503 },
  "Slow answers": { on: "http", latency: "2s" },
  "Half of all requests fail": { on: "http", share: "50%", status: 500 },
  "Answers that are no JSON": { on: "http", method: "GET", malformed: true },
  "Late frames": { on: "websocket", latency: { min: "200ms", max: "2s" } },
  "Lost frames": { on: "websocket", drop: true, chance: "50%" },
  "Sockets freeze": { on: "websocket", freeze: true },
  "Sockets break off": { on: "websocket", reset: true },
  "Nobody can connect": { on: "websocket", status: 503 },
};

export class Faults {
  #lifted = new Map(JSON.parse(sessionStorage.getItem(LIFTED) ?? "[]"));

  // `bring(fault)` and `lift(id)` are called when somebody switches one.
  constructor(acts) {
    this.acts = acts;
    const form = find("#fault");
    form.elements.preset.append(...Object.keys(PRESETS).map((name) => new Option(name)));
    const take = () => { form.elements.fault.value = JSON.stringify(PRESETS[form.elements.preset.value]); };
    form.elements.preset.addEventListener("change", take);
    take();
  }

  show(faults) {
    const there = new Set(faults.map(({ fault }) => JSON.stringify(fault)));
    const off = [...this.#lifted.keys()].filter((text) => !there.has(text));
    const items = [
      ...faults.map(({ id, label, phase, hit, matched, fault }) =>
        ({ id, label, text: JSON.stringify(fault), phase, says: `${phase}, hit ${hit} of ${matched}` })),
      ...off.map((text) => ({ id: null, label: this.#lifted.get(text), text, phase: "off", says: "off" })),
    ];
    const make = (fault) => {
      const forget = button("Forget", `Forget ${fault.label}`, () => this.#forget(fault.text));
      const item = element("li", {}, button("", fault.label, () => this.#turn(fault, item.dataset.phase)), element("span"),
        ...(fault.id === null ? [forget] : []), element("code", { textContent: fault.text }));
      item.firstChild.role = "switch";
      return item;
    };
    const update = (item, { label, phase, says }) => {
      item.dataset.phase = phase;
      const [turn, line] = item.children;
      const isOn = phase === "waiting" || phase === "active";
      turn.ariaChecked = isOn;
      turn.textContent = isOn ? "On" : "Off";
      line.textContent = `${label}: ${says}`;
    };
    keep(find("#faults"), items, ({ id, text }) => `${id} ${text}`, make, update);
  }

  async #turn({ id, label, text }, phase) {
    const fault = JSON.parse(text);
    if (phase === "waiting" || phase === "active") {
      this.#lifted.set(text, label);
      this.#save();
      return this.acts.lift(id, fault);
    }
    this.#forget(text);
    return this.acts.bring(fault);
  }

  #forget(text) {
    this.#lifted.delete(text);
    this.#save();
    [...find("#faults").children].filter(({ dataset }) => dataset.key === `null ${text}`).forEach((item) => item.remove());
  }

  #save() {
    sessionStorage.setItem(LIFTED, JSON.stringify([...this.#lifted]));
  }
}
