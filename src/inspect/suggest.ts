import { count } from "../data/data-error.ts";
import type { DataReport, Suggestion } from "./data-report.ts";

/** Photos of a class below which there is little to learn it from. */
const FEW_PHOTOS = 10;
/** How many times rarer than the most frequent class one is that the loss hardly sees. */
const RARE = 100;
const STEPS = 8;
const LARGEST_SIDE = 256;
const USUAL_SIDE = 128;

/** What somebody who knows the field would say of a data set before training on it. */
export function suggest(report: Omit<DataReport, "suggestions">): Suggestion[] {
  // Without a photo that can be used there is nothing to go by.
  if (report.sizes === null) return [];
  return [
    ...sizeOf(report),
    ...batchOf(report),
    ...balanceOf(report),
    ...classesOf(report),
    ...copiesOf(report),
  ];
}

function sizeOf({ sizes }: Pick<DataReport, "sizes">): Suggestion[] {
  if (sizes === null) return [];
  const shorter = Math.min(...sizes.median);
  const side = Math.max(32, 32 * Math.floor(Math.min(shorter, LARGEST_SIDE) / 32));
  if (side === USUAL_SIDE) return [];
  const why =
    side > USUAL_SIDE
      ? `the median photo has ${sizes.median.join("×")} pixels; ${side} shows what ${USUAL_SIDE} does not, at ${(side / USUAL_SIDE) ** 2} times the time`
      : `the median photo has ${sizes.median.join("×")} pixels: more would only enlarge them`;
  return [{ setting: `--image-size ${side}`, why }];
}

function batchOf({ split: { training } }: Pick<DataReport, "split">): Suggestion[] {
  if (training >= 64 * STEPS || training < 2) return [];
  const size = 2 ** Math.max(1, Math.floor(Math.log2(training / STEPS)));
  return [
    {
      setting: `--batch-size ${size}`,
      why: `${count(training, "training photo")}: a pass then has ${Math.ceil(training / size)} steps`,
    },
  ];
}

function balanceOf({ classes }: Pick<DataReport, "classes">): Suggestion[] {
  const present = classes.filter(({ pixels }) => pixels > 0);
  if (present.length < 2) return [];
  const sorted = [...present].sort((a, b) => b.pixels - a.pixels);
  const [most, least] = [sorted[0], sorted[sorted.length - 1]];
  if (most.pixels < RARE * least.pixels) return [];
  const ratio = Math.round(most.pixels / least.pixels);
  return [
    {
      setting: "--class-weights sqrt",
      why: `${JSON.stringify(most.name)} has ${ratio} times the pixels of ${JSON.stringify(least.name)}, which the loss would hardly see; --loss dice-cross-entropy is the other way`,
    },
  ];
}

function classesOf({ classes }: Pick<DataReport, "classes">): Suggestion[] {
  const absent = classes.filter(({ photos }) => photos === 0);
  const untrained = classes.filter(({ photos, trainingPhotos }) => photos > 0 && trainingPhotos === 0);
  const few = classes.filter(({ trainingPhotos }) => trainingPhotos > 0 && trainingPhotos < FEW_PHOTOS);
  return [
    ...named(absent, "occur", "occurs", "in no photo: nothing will be predicted as such"),
    ...named(
      untrained,
      "occur",
      "occurs",
      "in no training photo, only where they are validated: use another --split-seed, or label more",
    ),
    ...named(
      few,
      "occur",
      "occurs",
      `in fewer than ${FEW_PHOTOS} training photos: label more, or merge with --label-map`,
    ),
  ];
}

function named(
  classes: readonly { name: string }[],
  several: string,
  one: string,
  what: string,
): Suggestion[] {
  if (classes.length === 0) return [];
  const names = classes.slice(0, 8).map(({ name }) => JSON.stringify(name));
  const more = classes.length > names.length ? " …" : "";
  const noun = classes.length === 1 ? "class" : "classes";
  return [
    {
      setting: null,
      why: `${classes.length} ${noun} (${names.join(", ")}${more}) ${classes.length === 1 ? one : several} ${what}`,
    },
  ];
}

function copiesOf({ duplicates }: Pick<DataReport, "duplicates">): Suggestion[] {
  return [true, false].flatMap((exact) => {
    const across = duplicates.filter((group) => group.acrossSplit && group.exact === exact);
    if (across.length === 0) return [];
    const what = exact ? "the same file more than once" : "photos that look alike";
    const names = across[0].photos.slice(0, 3).join(", ");
    return [
      {
        setting: null,
        why:
          `${across.length === 1 ? "One group" : `${across.length} groups`} of ${what} (${names}${across.length > 1 ? ", for one" : ""}) ` +
          `${across.length === 1 ? "is" : "are"} on both sides of the split: validation will look too good; keep one of each, or put them in one part`,
      },
    ];
  });
}
