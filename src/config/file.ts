import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import type { Source } from "./resolve.ts";
import { ConfigError } from "./setting.ts";

/**
 * Settings from a YAML or JSON file (JSON is YAML), such as a run's `config.json`.
 *
 * @throws ConfigError when there is no such file or it holds no settings. Their values are checked by `resolveConfig`.
 */
export async function readConfigFile(file: string): Promise<Source> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason =
      code === "ENOENT" ? "there is no such file" : code === "EISDIR" ? "it is a folder" : message;
    throw new ConfigError(`The configuration ${file} cannot be read (${reason}): give a YAML or JSON file.`);
  }
  let said: unknown;
  try {
    // What is odd about it is refused below or by the settings' types; YAML's own remarks would come in several lines.
    said = parse(text, { logLevel: "error" });
  } catch (error) {
    const [line] = (error as Error).message.split("\n");
    throw new ConfigError(`The configuration ${file} is neither YAML nor JSON: ${line}`);
  }
  if (typeof said !== "object" || said === null || Array.isArray(said)) {
    throw new ConfigError(
      `The configuration ${file} holds no settings: write lines such as "batchSize: 16".`,
    );
  }
  return { file, said };
}
