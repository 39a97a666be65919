import { parseForeignJson } from "../files/json.ts";
import { WeightsError } from "./weights-error.ts";
import { messageOf } from "../message-of.ts";

/**
 * The configuration of a Keras model, otherwise unchecked.
 *
 * @param source what the file is called in messages
 * @throws {WeightsError} where it is not JSON, or nested beyond reason
 */
export function parseModelConfig(json: string, source: string): unknown {
  try {
    return parseForeignJson(json);
  } catch (error) {
    throw new WeightsError(
      `Cannot read ${source} as a Keras model: its configuration is not JSON (${messageOf(error)}); save it anew.`,
    );
  }
}
