/** How the files of a data set lie in its folder. */
export interface Layout {
  /** What to give, for sentences: `images/ and masks/`. */
  readonly description: string;
  readonly photos: FileSet;
  readonly masks: FileSet;
  /** Whether photos without a mask belong to the data set and are passed over; otherwise they are a mistake. */
  readonly unlabelledPhotos: boolean;
}

/** The photos, or the masks, of a layout. */
export interface FileSet {
  /** What one is called: `photo`, `mask`, `annotation`. */
  readonly noun: string;
  /** Path of the folder that holds them, below the data set's, with `/`. */
  readonly folder: string;
  /** Kinds of files, for sentences: `PNG`. */
  readonly kinds: string;
  /** Matches the files that count; group 1 is the name that a photo shares with its mask. */
  readonly file: RegExp;
  /** What the file of a given name would be called. */
  readonly fileOf: (name: string) => string;
}
