import type { PhotoAnnotation } from "../annotations/annotation.ts";
import type { DeclaredClasses } from "../classes/declared.ts";
import type { FormatName } from "./names.ts";
import type { Place } from "./place.ts";

/** Which part of a data set a photo belongs to, where the set says so. */
export type Part = "train" | "val" | "test";

/** A photo and what says which class its pixels have. */
export interface Pair {
  /** What the photo is called, unique in the data set: its path below the folder of photos, without the extension. */
  readonly name: string;
  /** The photo's file. */
  readonly image: string;
  /** The file of the mask or, where `annotation` is there, the file that it is read from. */
  readonly mask: string;
  /** Shapes that make up the mask; without, `mask` is a picture or a matrix of numbers. */
  readonly annotation?: PhotoAnnotation;
  /** The part the set puts it in. */
  readonly part?: Part;
}

/** A data set as its format's reader finds it: files are listed and annotations read, no picture is decoded. */
export interface DataSource {
  /** In order; one at least. */
  readonly pairs: readonly Pair[];
  /** The classes that the set itself tells of; null where only the masks can tell. */
  readonly declared: DeclaredClasses | null;
}

/** A way in which data sets lie on disk. */
export interface Format {
  /** For `--format`. */
  readonly name: FormatName;
  /** For sentences: `Pascal VOC`. */
  readonly title: string;
  /** What to give, for sentences and documentation: `JPEGImages/ and SegmentationClass/`. */
  readonly description: string;
  /** Whether a data set of this format lies there, by its content; quick, and nothing is decoded. */
  recognise(place: Place): Promise<boolean>;
  /**
   * Lists what lies there.
   *
   * @param say is told, in a sentence each, what is passed over and what was decided
   * @throws DataError when it is not as the format wants it
   */
  read(place: Place, say: (sentence: string) => void): Promise<DataSource>;
}
