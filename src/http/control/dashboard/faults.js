// Faults as switches. One that is lifted here stays in the list, so that it can be brought again.

import { world } from "./api.js";
import { button, element, find, keep } from "./dom.js";

const LIFTED = `mockd-lifted-${world}`;

const PRESETS = {
  "503 for every order": { on: "http", method: "POST", status: 503 },
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
        ({ id, text: JSON.stringify(fault), phase, says: `${label}: ${phase}, hit ${hit} of ${matched}` })),
      ...off.map((text) => ({ id: null, text, phase: "off", says: `${this.#lifted.get(text)}: off` })),
    ];
    const make = ({ id, text }) => {
      const item = element("li", {}, button("", "", () => this.#turn(item)), element("span"), element("code", { textContent: text }));
      item.firstChild.role = "switch";
      Object.assign(item.dataset, { id: id ?? "", text });
      return item;
    };
    const update = (item, { phase, says }) => {
      item.dataset.phase = phase;
      const [turn, line] = item.children;
      turn.ariaChecked = phase === "off" ? "false" : "true";
      turn.ariaLabel = says.split(":")[0];
      turn.textContent = phase === "off" ? "Off" : "On";
      line.textContent = says;
    };
    keep(find("#faults"), items, ({ id, text }) => `${id} ${text}`, make, update);
  }

  #turn(item) {
    const { id, text } = item.dataset;
    if (id) this.#lifted.set(text, item.firstChild.ariaLabel);
    else this.#lifted.delete(text);
    sessionStorage.setItem(LIFTED, JSON.stringify([...this.#lifted]));
    return id ? this.acts.lift(Number(id), JSON.parse(text)) : this.acts.bring(JSON.parse(text));
  }
}
