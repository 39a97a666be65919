import { classColour } from "../../masks/palette.ts";
import { h, setText } from "../page/dom.ts";
import type { ClassShare } from "../../masks/class-shares.ts";
import { shareText } from "./share-text.ts";

export interface Legend {
  readonly element: HTMLElement;
  show(shares: readonly ClassShare[]): void;
}

/**
 * The classes of a photo, the largest first. One that is pointed at or has the focus stands out in the picture; one that was
 * pressed stays so.
 */
export function legend(onHighlight: (label: number | null) => void): Legend {
  const list = h("ul", { class: "classes" });
  const empty = h(
    "p",
    { class: "muted" },
    "The classes that the network sees in your photo will stand here.",
  );
  const element = h("div", {}, empty, list);
  let pinned: number | null = null;
  const items = new Map<number, { item: HTMLLIElement; button: HTMLButtonElement; value: HTMLElement }>();

  function pin(label: number | null): void {
    pinned = label;
    for (const [id, { button }] of items) button.setAttribute("aria-pressed", String(id === pinned));
    onHighlight(pinned);
  }

  function make(
    id: number,
    name: string,
  ): { item: HTMLLIElement; button: HTMLButtonElement; value: HTMLElement } {
    const swatch = h("i", { "aria-hidden": "true" });
    swatch.style.background = classColour(id);
    const value = h("b", {});
    const button = h(
      "button",
      { type: "button", "aria-pressed": "false" },
      swatch,
      h("span", {}, name),
      value,
    );
    button.addEventListener("click", () => pin(pinned === id ? null : id));
    for (const event of ["pointerenter", "focus"]) button.addEventListener(event, () => onHighlight(id));
    for (const event of ["pointerleave", "blur"]) button.addEventListener(event, () => onHighlight(pinned));
    return { item: h("li", {}, button), button, value };
  }

  list.addEventListener("keydown", (event) => {
    if (event.key === "Escape") pin(null);
  });

  return {
    element,
    show(shares) {
      empty.hidden = shares.length > 0;
      if (!shares.some(({ id }) => id === pinned)) pinned = null;
      for (const [id, { item }] of items) {
        if (shares.some((share) => share.id === id)) continue;
        item.remove();
        items.delete(id);
      }
      shares.forEach(({ id, name, share }, place) => {
        const entry = items.get(id) ?? make(id, name);
        items.set(id, entry);
        setText(entry.value, shareText(share));
        // Moving an element takes the focus from it: only what has changed its place is moved.
        if (list.children[place] !== entry.item) list.insertBefore(entry.item, list.children[place] ?? null);
      });
    },
  };
}
