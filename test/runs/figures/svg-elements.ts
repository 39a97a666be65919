import { parseHTML } from "linkedom";

const find = (svg: string, selector: string): Element[] =>
  Array.from(parseHTML(`<html><body>${svg}</body></html>`).document.querySelectorAll(selector));

/** The parts of an SVG in a group that has a name (Plot's `aria-label`), in their order. */
export const elements = (svg: string, group: string, tag: string): Element[] =>
  find(svg, `[aria-label="${group}"] ${tag}`);

/** Every text of an SVG, unescaped. */
export const texts = (svg: string): string[] => find(svg, "text").map(({ textContent }) => textContent);

/** Attributes of an element as numbers. */
export const numbers = (element: Element, ...names: string[]): number[] =>
  names.map((name) => Number(element.getAttribute(name)));
