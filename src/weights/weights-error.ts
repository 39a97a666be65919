import { FileError } from "../files/file-error.ts";

/** A file of weights whose content cannot be read or used: a `FileError`, as what the disk refuses is. The message is one sentence for the user. */
export class WeightsError extends FileError {
  /** Always `WeightsError`. */
  override readonly name = "WeightsError";
}
