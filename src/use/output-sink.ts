/** Where the files go that are made of photos. */
export interface OutputSink {
  /** Photos whose files may be put at the same time, each photo's one after another; 1 by default, all in the order of the photos. */
  readonly photosAtOnce?: number;
  /**
   * Keeps a whole file, in place of an older one of its name.
   *
   * @throws FileError when it cannot be kept.
   */
  put(name: string, bytes: Uint8Array): Promise<void>;
  /** Removes the file of a name, where there is one. */
  remove(name: string): Promise<void>;
}

/** The names of all files that can come of a photo. */
export interface OutputNames {
  readonly mask: string;
  readonly overlay: string;
  /** The JSON of the classes' shares, which comes last. */
  readonly shares: string;
  readonly logits: string;
  readonly geoJson: string;
}

/** The names of a photo's outputs, by its stem. */
export const outputNames = (stem: string): OutputNames => ({
  mask: `${stem}.mask.png`,
  overlay: `${stem}.overlay.png`,
  shares: `${stem}.json`,
  logits: `${stem}.logits.safetensors`,
  geoJson: `${stem}.geojson`,
});
