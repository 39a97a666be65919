import type { NamedClass } from "../../files/class-table.ts";
import { DataError } from "../data-error.ts";
import { IGNORE } from "../dataset.ts";
import { BACKGROUND } from "./declared.ts";
import type { DeclaredClass, DeclaredClasses, Key } from "./declared.ts";
import { guessClasses } from "./guess.ts";
import type { Labelling } from "./labelling.ts";
import type { Survey } from "./survey.ts";

/** Classes before a label map: each has a key of its own. */
export interface SourceClasses {
  readonly keys: Labelling["keys"];
  readonly classes: readonly DeclaredClass[];
  readonly ignored: readonly Key[];
  /** Where they are from, for sentences. */
  readonly where: string;
}

export interface SourceOptions {
  /** How many there are, or a file's names of them. */
  readonly classes: number | { readonly file: string; readonly names: readonly NamedClass[] } | null;
  /** The number of pixels that do not count; null for none. */
  readonly ignoreLabel: number | "auto" | null;
  /** The names that a trained model knows, for data that tell nothing of themselves. */
  readonly model?: readonly string[] | undefined;
}

/** Classes whose keys are numbers, from the first of: what was asked for, what the set tells, what the masks hold. */
export function classesOfValues(
  declared: DeclaredClasses | null,
  survey: Survey | null,
  { classes: asked, ignoreLabel, model }: SourceOptions,
): SourceClasses {
  const said = valuesOf(declared, survey, asked, model);
  const known = new Set<Key>(said.classes.map(({ key }) => key));
  const above = survey === null ? [] : [...survey.keys()].filter((value) => !known.has(value));
  const automatic =
    declared?.ignored ?? said.ignored ?? (above.length === 1 && above[0] === IGNORE ? above : []);
  const ignored = ignoreLabel === "auto" ? automatic : ignoreLabel === null ? [] : [ignoreLabel];
  return {
    ...said,
    keys: "values",
    classes: said.classes.filter(({ key }) => !ignored.includes(key as number)),
    ignored,
  };
}

interface SaidValues {
  readonly classes: readonly DeclaredClass[];
  readonly ignored?: readonly number[];
  readonly where: string;
}

function valuesOf(
  declared: DeclaredClasses | null,
  survey: Survey | null,
  asked: SourceOptions["classes"],
  model: readonly string[] | undefined,
): SaidValues {
  const named = new Map(declared?.classes.map(({ key, name }) => [Number(key), name]));
  if (typeof asked === "number") {
    const most = Math.max(...named.keys());
    if (most >= asked) {
      throw new DataError(
        `--classes says ${asked}, and ${declared!.where} names class ${most}: give ${most + 1}, or a file of names.`,
      );
    }
    return { classes: numbered(asked, named), where: "--classes" };
  }
  if (asked !== null) {
    const names = new Map(asked.names.map(({ label, name }) => [label, name]));
    return { classes: numbered(Math.max(...names.keys()) + 1, names), where: asked.file };
  }
  if (declared !== null && declared.classes.length > 0) {
    const { where, compact = false } = declared;
    const all = Math.max(Math.max(...named.keys()) + 1, model?.length ?? 0);
    return { classes: compact ? declared.classes : numbered(all, named), where };
  }
  if (model !== undefined) return valuesOfModel(model, survey);
  if (survey === null) throw new Error("Nothing tells the classes.");
  return { ...guessClasses(survey), where: "the masks' values" };
}

/** A few photos hold few classes: what a value means was settled when the model was trained. */
function valuesOfModel(model: readonly string[], survey: Survey | null): SaidValues {
  const where = "the model";
  const values = model.map((name) => /^value (\d+)$/.exec(name)?.[1]);
  if (values.every((value) => value !== undefined)) {
    const classes = model.map((name, i) => ({ key: Number(values[i]), name }));
    return { classes, where };
  }
  const isBinary = model.length === 2 && survey?.has(IGNORE) && !survey.has(1);
  const classes = model.map((name, i) => ({ key: isBinary && i === 1 ? IGNORE : i, name }));
  return { classes, where };
}

const numbered = (classes: number, names: ReadonlyMap<number, string>): DeclaredClass[] =>
  Array.from({ length: classes }, (_, value) => ({ key: value, name: names.get(value) ?? `class ${value}` }));

/** Classes of labelling tools: the background first, then the labels in the set's order or that of a file of names. */
export function classesOfLabels(
  { classes: labels, where, ignored = [] }: DeclaredClasses,
  { classes: asked, ignoreLabel, model }: SourceOptions,
): SourceClasses {
  if (typeof ignoreLabel === "number") {
    throw new DataError(
      `--ignore-label is a number of masks, and these photos are labelled with names: say which do not count with --label-map, a ` +
        `file of lines such as hat,ignore.`,
    );
  }
  const isBackground = (name: string): boolean => name.replace(/^_+|_+$/g, "").toLowerCase() === BACKGROUND;
  const background = labels.find(({ key, name }) => isBackground(name) || isBackground(String(key)));
  const rest = labels.filter((label) => label !== background && !ignored.includes(label.key));
  const first: DeclaredClass[] = [{ key: BACKGROUND, name: background?.name ?? BACKGROUND }];
  if (background && background.key !== BACKGROUND) first.push({ key: background.key, name: background.name });
  const classes = [...first, ...rest];
  const count = new Set(classes.map(({ name }) => name)).size;
  if (typeof asked === "number" && asked !== count) {
    throw new DataError(
      `--classes says ${asked}, and ${where} has ${count} with the background: leave it out, or merge with --label-map.`,
    );
  }
  const names = typeof asked === "object" && asked !== null ? asked.names.map(({ name }) => name) : undefined;
  const order = names ?? (model && rest.every(({ name }) => model.includes(name)) ? model : undefined);
  if (order === undefined) return { keys: "labels", classes, ignored, where };
  const by = names === undefined ? "the model" : (asked as { file: string }).file;
  return { keys: "labels", classes: ordered(classes, order, by), ignored, where: by };
}

/** The classes in the order of their names in a list; names that nothing has get a class all the same. */
function ordered(
  classes: readonly DeclaredClass[],
  names: readonly string[],
  where: string,
): DeclaredClass[] {
  const missing = classes.find(({ name, key }) => key !== BACKGROUND && !names.includes(name));
  if (missing !== undefined) {
    throw new DataError(
      `${where} does not name ${JSON.stringify(missing.name)}, a label of the data: add it, or map it with --label-map.`,
    );
  }
  const background = classes.filter(({ key }) => key === BACKGROUND);
  const has = names.includes(background[0].name);
  return [
    ...(has ? [] : background),
    ...names.flatMap((name) => {
      const those = classes.filter((known) => known.name === name);
      return those.length > 0 ? those : [{ key: name, name }];
    }),
  ];
}
