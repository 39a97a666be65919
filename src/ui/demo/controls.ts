import { h } from "../page/dom.ts";

/** Radio buttons, the first one chosen; each `name` is on the page once. */
export function choice(
  name: string,
  options: readonly (readonly [string, string])[],
): { element: HTMLElement; inputs: HTMLInputElement[] } {
  const inputs = options.map(([value], i) =>
    h("input", { type: "radio", name: name.toLowerCase(), value, checked: i === 0 }),
  );
  const element = h(
    "fieldset",
    { class: "choices" },
    h("legend", { class: "unseen" }, name),
    ...options.map(([, text], i) => h("label", {}, inputs[i], h("span", {}, text))),
  );
  return { element, inputs };
}

/** A control under its name, with what stands beside it. */
export const field = (name: string, control: HTMLElement, ...beside: HTMLElement[]): HTMLElement =>
  h("label", { class: "field", for: control.id }, h("span", {}, name), ...beside, control);

/** The keys of the demo, for those who ask. */
export function shortcuts(): HTMLElement {
  const row = (keys: string, what: string): HTMLElement => h("div", {}, h("dt", {}, keys), h("dd", {}, what));
  return h(
    "details",
    {},
    h("summary", {}, "With the keyboard"),
    h(
      "dl",
      { id: "shortcuts", class: "facts" },
      row("Tab", "to the photo"),
      row("Arrow keys", "move the cursor, with Shift in small steps"),
      row("Space, Enter", "use the tool at the cursor; Look says what is there"),
      row("F", "fill the region at the cursor"),
      row("[ and ]", "smaller and larger brush"),
      row("Ctrl+Z", "take the last stroke back"),
      row("Ctrl+V", "paste a photo"),
      row("Escape", "on a class: show all again"),
    ),
  );
}
