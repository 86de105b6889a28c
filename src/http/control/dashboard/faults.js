// Faults as switches. A fault that is switched off stays in the list, so that it can be switched on again.

import { world } from "./api.js";
import { button, element, find, keep } from "./dom.js";

const REMOVED = `mockd-removed-faults-${world}`;

const PRESETS = {
  "503 for every POST": { on: "http", method: "POST", status: 503 },
  "Slow answers": { on: "http", latency: "2s" },
  "Half of all requests fail": { on: "http", share: "50%", status: 500 },
  "Malformed JSON answers": { on: "http", method: "GET", malformed: true },
  "Late frames": { on: "websocket", latency: { min: "200ms", max: "2s" } },
  "Lost frames": { on: "websocket", drop: true, chance: "50%" },
  "Sockets freeze": { on: "websocket", freeze: true },
  "Sockets are reset": { on: "websocket", reset: true },
  "Sockets cannot connect": { on: "websocket", status: 503 },
};

export class Faults {
  #removed = new Map(JSON.parse(sessionStorage.getItem(REMOVED) ?? "[]"));

  // Calls `add(fault)` and `remove(id, fault)` when a fault is switched on or off.
  constructor(acts) {
    this.acts = acts;
    const form = find("#fault");
    form.elements.preset.append(...Object.keys(PRESETS).map((name) => new Option(name)));
    const fill = () => { form.elements.fault.value = JSON.stringify(PRESETS[form.elements.preset.value]); };
    form.elements.preset.addEventListener("change", fill);
    fill();
  }

  show(faults) {
    const present = new Set(faults.map(({ fault }) => JSON.stringify(fault)));
    const off = [...this.#removed.keys()].filter((text) => !present.has(text));
    const items = [
      ...faults.map(({ id, label, phase, hit, matched, fault }) =>
        ({ id, label, text: JSON.stringify(fault), phase, status: `${phase}, hit ${hit} of ${matched}` })),
      ...off.map((text) => ({ id: null, label: this.#removed.get(text), text, phase: "off", status: "off" })),
    ];
    const make = (fault) => {
      const forget = button("Forget", `Forget ${fault.label}`, () => this.#forget(fault.text));
      const item = element("li", {}, button("", fault.label, () => this.#toggle(fault, item.dataset.phase)), element("span"),
        ...(fault.id === null ? [forget] : []), element("code", { textContent: fault.text }));
      item.firstChild.role = "switch";
      return item;
    };
    const update = (item, { label, phase, status }) => {
      item.dataset.phase = phase;
      const [toggle, line] = item.children;
      const isOn = phase === "waiting" || phase === "active";
      toggle.ariaChecked = isOn;
      toggle.textContent = isOn ? "On" : "Off";
      line.textContent = `${label}: ${status}`;
    };
    keep(find("#faults"), items, ({ id, text }) => `${id} ${text}`, make, update);
  }

  async #toggle({ id, label, text }, phase) {
    const fault = JSON.parse(text);
    if (phase === "waiting" || phase === "active") {
      this.#removed.set(text, label);
      this.#save();
      return this.acts.remove(id, fault);
    }
    this.#forget(text);
    return this.acts.add(fault);
  }

  #forget(text) {
    this.#removed.delete(text);
    this.#save();
    [...find("#faults").children].filter(({ dataset }) => dataset.key === `null ${text}`).forEach((item) => item.remove());
  }

  #save() {
    sessionStorage.setItem(REMOVED, JSON.stringify([...this.#removed]));
  }
}
