/** What a mask or an annotation says of a pixel: a number, a colour `0xRRGGBB`, or the name that a labelling tool gave. */
export type Key = number | string;

export interface DeclaredClass {
  readonly key: Key;
  readonly name: string;
}

/** The classes that a data set tells of in a file of its own, or that its format fixes. */
export interface DeclaredClasses {
  /** Where, for sentences: a file, or `Pascal VOC`. */
  readonly where: string;
  /**
   * What keys are: numbers of a mask; colours that it shows; or names of labels, drawn over class 0, the background, which
   * need not be among them.
   */
  readonly keys: "values" | "colours" | "labels";
  /**
   * In the order of the classes. Of numbers, each class has its own: what is not named between two of them is `class N`,
   * unless `compact`, where the classes are numbered as they come.
   */
  readonly classes: readonly DeclaredClass[];
  readonly compact?: boolean;
  /** Keys that do not count, by the format's rules; undefined where it has none, and 255 may turn out to be one. */
  readonly ignored?: readonly Key[];
}

/** Of photos labelled with shapes, what the pixels without one are; a label of this name is the same class. */
export const BACKGROUND = "background";
