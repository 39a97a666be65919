import { Option } from "commander";
import type { Command } from "commander";
import { descriptions, schema, SETTING_NAMES } from "../config/index.ts";
import type { Said, SettingName } from "../config/index.ts";
import { noteChoices } from "./option-choices.ts";
import { userPath } from "./user-path.ts";

/** The parts of a zod type that say how its flag is read. */
interface TypeShape {
  readonly def: {
    readonly type: string;
    readonly innerType?: TypeShape;
    readonly entries?: Readonly<Record<string, string>>;
    readonly options?: readonly TypeShape[];
  };
}

/** What stands for the value of a setting that is a path. */
const PATHS = ["DIR", "PATH", "FILE"];
/** What stands for the value of a setting that is a number, or one of some names, or something else. */
const EITHER = /^(N|PIXELS|KIND)\|(.+)$/;
/** What the `--no-` form of a setting that is no switch means. */
const OFF = "off";

/**
 * Adds a flag for every setting, or for some; switches get a `--no-` form besides, to say no to what a preset says yes to, and so do
 * settings that can be off.
 */
export function addSettingOptions(command: Command, names: readonly SettingName[] = SETTING_NAMES): void {
  for (const name of names) {
    const { flag, value, group, summary } = descriptions.get(schema.shape[name])!;
    const { kind, choices } = kindOf(name);
    if (kind === "boolean") {
      command.addOption(new Option(flag, summary).helpGroup(group));
      command.addOption(new Option(flag.replace("--", "--no-")).hideHelp());
    } else {
      const option = new Option(`${flag} <${choices.length > 0 ? choices.join("|") : value}>`, summary)
        .helpGroup(group)
        .argParser((text) => parse(name, text));
      command.addOption(noteChoices(option, choices));
      if (choices.includes(OFF)) command.addOption(new Option(flag.replace("--", "--no-")).hideHelp());
    }
  }
}

/** What `none` is read as: commander makes an empty text of null. */
const NONE = Symbol("none");

/** What the command line says of the settings: those alone that it names, so that they can be laid over others. */
export function saidOnCommandLine(command: Command): Said {
  const options = command.opts<Record<string, unknown>>();
  return Object.fromEntries(
    SETTING_NAMES.filter((name) => options[name] !== undefined).map((name) => {
      const said = options[name];
      if (said === NONE) return [name, null];
      return [name, said === false && kindOf(name).kind !== "boolean" ? OFF : said];
    }),
  );
}

/** A flag's text as the setting's type wants it; what cannot be read stays text, and the schema refuses it. */
function parse(name: SettingName, text: string): unknown {
  const { kind, nullable, names } = kindOf(name);
  if (names.includes(text)) return text;
  if (nullable && text === "none") return NONE;
  const { value } = descriptions.get(schema.shape[name])!;
  const isNumber = text.trim() !== "" && Number.isFinite(Number(text));
  const [, first, either] = EITHER.exec(value) ?? [];
  if ((first === "N" || first === "PIXELS") && isNumber) return Number(text);
  if (PATHS.includes(either ?? value)) return userPath(text);
  if (kind === "number") return isNumber ? Number(text) : text;
  return kind === "array" ? text.split(",").map((part) => part.trim()) : text;
}

interface SettingKind {
  readonly kind: string;
  readonly nullable: boolean;
  /** All that the setting may be, where these are names. */
  readonly choices: readonly string[];
  /** Names that it may be besides something else. */
  readonly names: readonly string[];
}

function kindOf(name: SettingName): SettingKind {
  const { def } = schema.shape[name] as unknown as TypeShape;
  const nullable = def.type === "nullable";
  const { type: kind, entries = {}, options = [] } = nullable ? def.innerType!.def : def;
  const names = options.flatMap((option) => Object.keys(option.def.entries ?? {}));
  return { kind, nullable, choices: Object.keys(entries), names };
}
