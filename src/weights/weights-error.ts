import { FileError } from "../files/file-error.ts";

/** A file of weights whose content cannot be read or used; the message is one sentence for the user. */
export class WeightsError extends FileError {
  /** Always `WeightsError`. */
  override readonly name = "WeightsError";
}
