import { h, part, setText } from "../page/dom.ts";
import type { Point } from "./painting.ts";
import type { PagePhoto } from "./photo.ts";
import { sources } from "./sources.ts";
import type { SourcesEvents } from "./sources.ts";
import { stage as makeStage } from "./stage.ts";
import type { Stage, StageEvents } from "./stage.ts";

/** What stands under the picture where nothing is pointed at. */
const HERE = "Point at the photo to see what is where.";

export interface PhotoCardEvents
  extends Pick<SourcesEvents, "onPhoto">, Pick<StageEvents, "onDown" | "onMove" | "onKey"> {
  /** Asked what is at a point of the picture; null where nothing is known yet. */
  readonly classAt: (at: Point) => string | null;
}

/** The card of the photo: where photos come from, the photo under its labels, what is wrong with either. */
export interface PhotoCard {
  readonly stage: Stage;
  /** How far the labels cover the photo, 0 to 1. */
  readonly opacity: number;
  /** Shows a new photo without labels. */
  show(photo: PagePhoto): void;
  /** Tells in a sentence of what is wrong, until the next photo. */
  complain(sentence: string): void;
  /** Forgets what was wrong. */
  clear(): void;
}

/**
 * Fills the page's card of the photo.
 *
 * @param background the class that is left clear, if one is; see `backgroundOf`
 */
export function photoCard(
  background: number | null,
  { onPhoto, classAt, ...hand }: PhotoCardEvents,
): PhotoCard {
  const here = h("p", { class: "muted here", "aria-hidden": "true" }, HERE);
  const stage = makeStage(background, {
    ...hand,
    onHover: (at) => setText(here, (at && classAt(at)) ?? HERE),
  });
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const opacity = h("input", { id: "opacity", type: "range", min: 0, max: 1, step: 0.01, value: 0.7 });
  const picture = h(
    "div",
    { class: "picture", hidden: true },
    stage.element,
    here,
    h("label", { class: "field", for: "opacity" }, h("span", {}, "Labels"), opacity),
  );
  opacity.addEventListener("input", () => stage.setOpacity(opacity.valueAsNumber));
  stage.setOpacity(opacity.valueAsNumber);
  const drop = h("p", { class: "drop", "aria-hidden": "true" }, "Drop a photo here");
  function complain(sentence: string): void {
    problem.textContent = sentence;
    problem.hidden = false;
  }
  part("photo").append(
    h("h2", { id: "photo-title" }, "Photo"),
    sources({ onPhoto, onProblem: complain }),
    problem,
    drop,
    picture,
  );
  return {
    stage,
    get opacity() {
      return opacity.valueAsNumber;
    },
    show(photo) {
      drop.hidden = true;
      picture.hidden = false;
      stage.showPhoto(photo);
      stage.showLabels(null, null);
    },
    complain,
    clear() {
      problem.hidden = true;
    },
  };
}
