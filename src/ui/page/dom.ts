type Child = Node | string | null;

/** Makes an element: attributes by name (false and null leave one out), children in order. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string | number | boolean | null>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** The element of the page's skeleton with this id. */
export function part(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (!element) throw new Error(`The page has no #${id}.`);
  return element;
}

/** Writes text only where it changes, so that nothing flickers and selections stay. */
export function setText(element: Node, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** A part of the page that scrolls by itself: it must be reachable by keyboard. */
export const scrollable = (label: string, ...children: readonly Child[]): HTMLDivElement =>
  h("div", { class: "scrollable", role: "region", "aria-label": label, tabindex: 0 }, ...children);

/** A table with a head; the first cell of each row names the row. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): HTMLTableElement {
  const cells = (row: readonly string[]): HTMLElement[] =>
    row.map((text, i) => (i === 0 ? h("th", { scope: "row" }, text) : h("td", {}, text)));
  return h(
    "table",
    {},
    h("thead", {}, h("tr", {}, ...head.map((text) => h("th", { scope: "col" }, text)))),
    h("tbody", {}, ...rows.map((row) => h("tr", {}, ...cells(row)))),
  );
}

/** Values by their names. */
export const facts = (entries: readonly (readonly [string, string])[]): HTMLDListElement =>
  h(
    "dl",
    { class: "facts" },
    ...entries.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
  );

/** Calls `redraw` with the width of `element` in CSS pixels, now and whenever it or the colour scheme changes. */
export function onResize(element: Element, redraw: () => void): void {
  let width = -1;
  new ResizeObserver(([entry]) => {
    const next = Math.round(entry.contentRect.width);
    if (next === width) return;
    width = next;
    redraw();
  }).observe(element);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
}

/** A colour of the style sheet, as a canvas takes it. */
export const colour = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
