import { h } from "../page/dom.ts";

export interface LossCurve {
  readonly element: HTMLElement;
  show(losses: readonly number[]): void;
}

const WIDTH = 320;
const HEIGHT = 120;
const SVG = "http://www.w3.org/2000/svg";

/** The loss of each step so far, as a line. */
export function lossCurve(): LossCurve {
  const svg = make("svg", {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    preserveAspectRatio: "none",
    role: "img",
    "aria-label": "Loss: no step was made yet",
  });
  const line = make("polyline", { class: "line", "vector-effect": "non-scaling-stroke" });
  svg.append(
    ...[0.25, 0.5, 0.75].map((y) =>
      make("line", { class: "grid", x1: 0, x2: WIDTH, y1: y * HEIGHT, y2: y * HEIGHT }),
    ),
    line,
  );
  const [high, low, steps] = [h("span", {}), h("span", {}), h("span", {})];
  const empty = h("p", { class: "empty muted" }, "The loss of every step will be drawn here.");
  const element = h(
    "figure",
    { class: "loss" },
    h("figcaption", {}, h("h3", {}, "Loss"), steps),
    h("div", { class: "plot" }, svg, high, low, empty),
  );
  high.className = "high";
  low.className = "low";

  return {
    element,
    show(losses) {
      empty.hidden = losses.length > 0;
      const top = losses.length > 0 ? Math.max(...losses) * 1.05 : 1;
      const x = (i: number): number => (losses.length < 2 ? 0 : (i / (losses.length - 1)) * WIDTH);
      const points = losses.map((loss, i) => `${x(i).toFixed(1)},${(HEIGHT * (1 - loss / top)).toFixed(1)}`);
      line.setAttribute("points", points.join(" "));
      high.textContent = losses.length > 0 ? top.toPrecision(2) : "";
      low.textContent = losses.length > 0 ? "0" : "";
      const [first, last] = [losses[0], losses.at(-1)];
      const count = losses.length === 1 ? "1 step" : `${losses.length} steps`;
      steps.textContent = last === undefined ? "" : `${last.toPrecision(3)} after ${count}`;
      svg.setAttribute(
        "aria-label",
        last === undefined
          ? "Loss: no step was made yet"
          : `Loss: ${first.toPrecision(3)} at first, ${last.toPrecision(3)} after ${count}`,
      );
    },
  };
}

function make(tag: string, attributes: Readonly<Record<string, string | number>>): SVGElement {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  return element;
}
