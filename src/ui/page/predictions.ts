import type { Picture, RunState } from "../run-state.ts";
import { h, part, scrollable, setText } from "./dom.ts";

/** What the network says of validation photos; a slider leads back through the epochs. */
export function predictions(): (state: RunState) => void {
  let pictures: readonly Picture[] = [];
  /** Null follows the newest. */
  let chosen: string | null = null;

  const image = h("img", { alt: "", decoding: "async" });
  const frame = scrollable("Predictions, true masks and photos", image);
  const label = h("output", {});
  const slider = h("input", { type: "range", min: 0, step: 1, "aria-label": "Which predictions" });
  const step = (text: string, name: string, by: number): HTMLButtonElement => {
    const button = h("button", { type: "button", "aria-label": name }, text);
    button.addEventListener("click", () => choose(slider.valueAsNumber + by));
    return button;
  };
  const earlier = step("‹", "Earlier predictions", -1);
  const later = step("›", "Later predictions", 1);
  const full = h("a", { target: "_blank", rel: "noopener" }, "Full size");
  const tools = h("div", { class: "tools" }, earlier, slider, later, label, full);
  const empty = h("p", { class: "muted" }, "The first predictions come with the end of the first epoch.");
  const card = h("div", { class: "card" }, tools, frame);
  part("predictions").append(
    h("h2", { id: "predictions-title" }, "Predictions on validation photos"),
    empty,
    card,
  );

  slider.addEventListener("input", () => choose(slider.valueAsNumber));

  function choose(index: number): void {
    const clamped = Math.min(pictures.length - 1, Math.max(0, index));
    chosen = clamped === pictures.length - 1 ? null : pictures[clamped].id;
    draw();
  }

  function draw(): void {
    empty.hidden = pictures.length > 0;
    card.hidden = pictures.length === 0;
    if (pictures.length === 0) return;
    const found = pictures.findIndex(({ id }) => id === chosen);
    const index = found < 0 ? pictures.length - 1 : found;
    const picture = pictures[index];
    const source = `/pictures/${picture.id}.png`;
    slider.max = String(pictures.length - 1);
    slider.valueAsNumber = index;
    slider.setAttribute("aria-valuetext", picture.label);
    earlier.disabled = index === 0;
    later.disabled = index === pictures.length - 1;
    setText(label, picture.label);
    if (image.getAttribute("src") !== source) {
      image.src = source;
      image.alt = `${picture.label}: validation photos, their true masks and the predicted ones`;
      full.href = source;
    }
  }

  let known: RunState["pictures"] | null = null;
  draw();
  return (state) => {
    if (known === state.pictures) return;
    known = state.pictures;
    pictures = state.pictures;
    draw();
  };
}
