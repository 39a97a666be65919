import { count, DataError } from "../data-error.ts";
import type { DeclaredClass } from "../classes/declared.ts";
import { pairFiles } from "./file-pairs.ts";
import type { Format, Pair } from "./format.ts";
import type { Place } from "./place.ts";

const PHOTOS = "leftImg8bit";
/** Labels, the finer ones first. */
const LABELS = ["gtFine", "gtCoarse"];
/** Numbers that masks hold, the set's own first. */
const KINDS = ["labelIds", "labelTrainIds"] as const;

/**
 * The classes that are trained on, in the order of their `trainId`, and their `id` (`cityscapesscripts/helpers/labels.py`); every
 * other id does not count.
 */
const CLASSES: readonly DeclaredClass[] = [
  ...[named(7, "road"), named(8, "sidewalk"), named(11, "building"), named(12, "wall"), named(13, "fence")],
  ...[named(17, "pole"), named(19, "traffic light"), named(20, "traffic sign"), named(21, "vegetation")],
  ...[named(22, "terrain"), named(23, "sky"), named(24, "person"), named(25, "rider"), named(26, "car")],
  ...[
    named(27, "truck"),
    named(28, "bus"),
    named(31, "train"),
    named(32, "motorcycle"),
    named(33, "bicycle"),
  ],
];
const IDS = 34;
const VOID = 255;

function named(key: number, name: string): DeclaredClass {
  return { key, name };
}

/**
 * `leftImg8bit/train/CITY/X_leftImg8bit.png` and `gtFine/train/CITY/X_gtFine_labelIds.png` (or `…_labelTrainIds.png`; `gtCoarse`
 * where there is no `gtFine`): Cityscapes (Cordts et al., CVPR 2016), with its 19 classes and its split. The labels of its
 * test part are dummies and left out.
 */
export const cityscapes: Format = {
  name: "cityscapes",
  title: "Cityscapes",
  description: "leftImg8bit/ and gtFine/",
  recognise: async (place) => (await place.has(PHOTOS)) === "folder" && (await labelsOf(place)) !== undefined,
  read: async (place, say) => {
    const labels = await labelsOf(place);
    if (labels === undefined) {
      throw new DataError(
        `There is no folder ${place.file(LABELS[0])}: put the labels there, a folder a city.`,
      );
    }
    const kind = await kindOf(place, labels);
    const all = await pairFiles(
      place,
      {
        photos: {
          noun: "photo",
          folder: PHOTOS,
          kinds: "*_leftImg8bit.png",
          file: /^(.+)_leftImg8bit\.(?:png|jpe?g)$/i,
          fileOf: (name) => `${name}_leftImg8bit.png`,
        },
        masks: {
          noun: "mask",
          folder: labels,
          kinds: `*_${labels}_${kind}.png`,
          file: new RegExp(`^(.+)_${labels}_${kind}\\.png$`, "i"),
          besides: new RegExp(
            `^.+_${labels}_(?:color|instanceIds|instanceTrainIds|labelIds|labelTrainIds|polygons)\\.(?:png|json)$`,
            "i",
          ),
          fileOf: (name) => `${name}_${labels}_${kind}.png`,
        },
        unlabelledPhotos: true,
      },
      say,
    );
    const pairs = all.filter(({ part }) => part !== "test").map(inItsPart);
    if (pairs.length < all.length) {
      say(
        `Without ${count(all.length - pairs.length, "photo")} of the part "test": Cityscapes keeps the labels of that part to itself, ` +
          `and what lies in ${labels}/test says nothing.`,
      );
    }
    const ids = new Set(CLASSES.map(({ key }) => key));
    const others = Array.from({ length: IDS }, (_, id) => id).filter((id) => !ids.has(id));
    const declared =
      kind === "labelIds"
        ? { classes: CLASSES, compact: true, ignored: [...others, VOID] }
        : { classes: CLASSES.map(({ name }, key) => ({ key, name })), ignored: [VOID] };
    return { pairs, declared: { where: "Cityscapes", keys: "values", ...declared } };
  },
};

/** The coarse labels have a part more to train on. */
const inItsPart = (pair: Pair): Pair =>
  pair.name.startsWith("train_extra/") ? { ...pair, part: "train" } : pair;

async function labelsOf(place: Place): Promise<string | undefined> {
  for (const folder of LABELS) if ((await place.has(folder)) === "folder") return folder;
  return undefined;
}

/** @throws DataError when there is neither kind of masks */
async function kindOf(place: Place, labels: string): Promise<(typeof KINDS)[number]> {
  const files = await place.files(labels);
  const kind = KINDS.find((name) => files.some((file) => file.endsWith(`_${labels}_${name}.png`)));
  if (kind !== undefined) return kind;
  throw new DataError(
    `${place.file(labels)} holds no *_${labels}_${KINDS[0]}.png file: unpack the labels there, or make them from the polygons ` +
      "with cityscapesScripts.",
  );
}
