import { place, placementOf } from "../../data/fit.ts";
import type { Placement } from "../../data/fit.ts";
import type { Size } from "../../data/resize.ts";
import { maskFromLogits } from "../../masks/mask-from-logits.ts";
import { coveringOf } from "../../use/covering.ts";
import { fineTuningTargets } from "./fine-tuning-targets.ts";
import type { ModelDescription } from "./model-description.ts";
import type { Labelling, Lesson } from "./network.ts";
import type { Painting } from "./painting.ts";
import type { PagePhoto } from "./photo.ts";
import { prepareImage } from "./prepare-image.ts";

/** A photo and what the network says of it. */
export interface Seen {
  readonly photo: PagePhoto;
  readonly labelling: Labelling;
}

/** What a correction teaches: an image for each window of the photo that has paint in it, one at most where it is seen at once. */
export function lessonsOf({ photo, labelling }: Seen, painting: Painting, model: ModelDescription): Lesson[] {
  const { imageSize, classNames } = model;
  const { length: classes } = classNames;
  const labels = maskFromLogits(labelling.scores, labelling, classes, labelling);
  return placementsOf(photo, model).flatMap((placement): Lesson[] => {
    const around = new Uint8Array(imageSize.height * imageSize.width);
    const within = Uint32Array.from(place(labels, 1, placement, imageSize, around));
    const targets = fineTuningTargets(painting, within, imageSize, classes, placement);
    return targets ? [{ ...targets, image: prepareImage(photo, model, placement) }] : [];
  });
}

/** Where a photo lies in each of the images in which the network sees it. */
function placementsOf(photo: Size, { imageSize, resize }: ModelDescription): Placement[] {
  if (resize !== "short-side") return [placementOf(photo, imageSize, resize)];
  const { scaled, corners } = coveringOf(photo, imageSize);
  return corners.map(({ left, top }) => ({ scaled, left: -left, top: -top }));
}
