import { parse } from "node:path";
import { readPictureFile } from "../data/read-picture.ts";

/** A photo that is to be labelled, wherever it lies. */
export interface PhotoToLabel {
  /** What messages and the JSON call it: a path, a URL, the archive and the member of it. */
  readonly photo: string;
  /** The name of its outputs without their endings: `<stem>.mask.png` and so on. */
  readonly stem: string;
  /**
   * The bytes of the encoded photo.
   *
   * @throws DataError when they cannot be had; the signal's reason.
   */
  read(signal?: AbortSignal): Promise<Buffer>;
}

/** A photo that is a file; its outputs are named as it is, but for the ending. */
export const photoFile = (path: string): PhotoToLabel => ({
  photo: path,
  stem: parse(path).name,
  read: () => readPictureFile(path, "photo"),
});
