/** @file What is said about a data set. */

/** A setting worth trying, or something to mend. */
export interface Suggestion {
  /** `--class-weights sqrt`; null for what no setting mends. */
  readonly setting: string | null;
  readonly why: string;
}

export interface ClassReport {
  readonly label: number;
  readonly name: string;
  readonly pixels: number;
  /** Of all pixels that count. */
  readonly share: number;
  /** Photos that have some of it: of all, and of the parts. */
  readonly photos: number;
  readonly trainingPhotos: number;
  readonly validationPhotos: number;
}

export interface DuplicatesReport {
  readonly photos: readonly string[];
  /** The same bytes; otherwise they look alike. */
  readonly exact: boolean;
  /** Whether some are trained on and some validated on: then validation is too good. */
  readonly acrossSplit: boolean;
}

/** What a data set holds, and whether it can be trained on. */
export interface DataReport {
  readonly path: string;
  readonly format: string;
  readonly photos: number;
  readonly split: {
    readonly own: boolean;
    readonly training: number;
    readonly validation: number;
    readonly keptOut: number;
  };
  readonly sizes: {
    readonly different: number;
    readonly smallest: readonly [width: number, height: number];
    readonly median: readonly [width: number, height: number];
    readonly largest: readonly [width: number, height: number];
  } | null;
  /** How many photos are of each format. */
  readonly kinds: Readonly<Record<string, number>>;
  readonly classes: readonly ClassReport[];
  /** Pixels that do not count, and their share of all. */
  readonly ignored: { readonly pixels: number; readonly share: number };
  /** Photos on which no pixel counts. */
  readonly uncounted: readonly string[];
  readonly duplicates: readonly DuplicatesReport[];
  /** What was passed over and decided, in sentences. */
  readonly said: readonly string[];
  /** What cannot be used, in sentences. */
  readonly faults: readonly string[];
  readonly suggestions: readonly Suggestion[];
  readonly usable: boolean;
}
