// The last minute of a number as a line. Screen readers skip it, because the number itself is shown beside it.

const MINUTE = 60;
const SVG = "http://www.w3.org/2000/svg";

export class Sparkline {
  #history = [];
  #line = document.createElementNS(SVG, "polyline");
  element = document.createElementNS(SVG, "svg");

  constructor() {
    this.element.setAttribute("viewBox", `0 0 ${MINUTE} 20`);
    this.element.setAttribute("preserveAspectRatio", "none");
    this.element.setAttribute("aria-hidden", "true");
    this.element.append(this.#line);
  }

  update(value) {
    const now = performance.now() / 1000;
    this.#history = this.#history.filter(({ at }) => at > now - MINUTE).concat({ at: now, value });
    const all = this.#history.map((moment) => moment.value);
    const [low, high] = [Math.min(...all), Math.max(...all)];
    const point = (moment) => `${MINUTE + moment.at - now},${19 - (18 * (moment.value - low)) / (high - low || 1)}`;
    this.#line.setAttribute("points", this.#history.map(point).join(" "));
  }
}
