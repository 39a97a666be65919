import { count, DataError } from "../data-error.ts";
import { IGNORE, MOST_CLASSES } from "../dataset.ts";
import { BACKGROUND } from "./declared.ts";
import type { DeclaredClasses, Key } from "./declared.ts";
import type { Mapping, Target } from "./label-map.ts";
import { colourText, keyText } from "./labelling.ts";
import type { Labelling } from "./labelling.ts";
import { classesOfLabels, classesOfValues } from "./sources.ts";
import type { SourceClasses, SourceOptions } from "./sources.ts";
import type { Survey } from "./survey.ts";

export interface LabellingOptions extends SourceOptions {
  readonly labelMap: readonly Mapping[] | null;
}

/** What there is to find the classes from. */
export interface LabellingEvidence {
  readonly declared: DeclaredClasses | null;
  /** What the masks hold, where they were looked through. */
  readonly survey: Survey | null;
  /** Whether some shapes do not count (COCO's crowds). */
  readonly uncounted: boolean;
}

/**
 * Decides what the pixels of a data set's masks become.
 *
 * @param say is told, in a sentence each, what was decided and may not be meant
 * @throws DataError when the classes cannot be told or contradict one another, a map names one that there is not, there are
 *   fewer than two or too many, or the masks hold what is no class
 */
export function resolveLabelling(
  { declared, survey, uncounted }: LabellingEvidence,
  options: LabellingOptions,
  say: (sentence: string) => void,
): Labelling {
  const { labelMap } = options;
  const colours = labelMap?.some(({ from }) => from.kind === "colour") ?? false;
  const sources = sourcesOf(declared, survey, options, colours);
  const labelling = labellingOf(sources, options, uncounted);
  checkClasses(labelling, sources.where);
  if (survey !== null) refuseUnknown(labelling, sources, survey);
  if (survey !== null) sayGuessed(labelling, sources, survey, say);
  return labelling;
}

function sourcesOf(
  declared: DeclaredClasses | null,
  survey: Survey | null,
  options: LabellingOptions,
  colours: boolean,
): SourceClasses {
  if (declared?.keys === "labels") return classesOfLabels(declared, options);
  if (declared?.keys === "colours") {
    const { classes, where, ignored = [] } = declared;
    return { keys: "colours", classes, ignored, where };
  }
  const onlyMap = { classes: [], ignored: [], where: "--label-map" };
  if (colours) return { keys: "colours", ...onlyMap };
  // Then nothing need be made of the values.
  if (
    declared === null &&
    options.classes === null &&
    survey !== null &&
    mapsAll(options.labelMap ?? [], survey)
  ) {
    return { keys: "values", ...onlyMap };
  }
  return classesOfValues(declared, survey, options);
}

const mapsAll = (map: readonly Mapping[], survey: Survey): boolean =>
  [...survey.keys()].every((value) =>
    map.some(({ from }) => from.kind === "values" && from.first <= value && value <= from.last),
  );

function labellingOf(sources: SourceClasses, options: LabellingOptions, uncounted: boolean): Labelling {
  const { keys, classes: known, ignored } = sources;
  const map = options.labelMap ?? [];
  const assigned = new Map<Key, Target>();
  let others: Target | undefined;
  for (const mapping of map) {
    if (mapping.from.kind === "others") others = mapping.to;
    else for (const key of keysOf(mapping, sources)) assigned.set(key, mapping.to);
  }
  const nameOf = (target: Target): string | null => {
    if (target.kind === "ignore") return null;
    if (target.kind === "name") return target.name;
    return known.find(({ key }) => key === target.label)?.name ?? `class ${target.label}`;
  };
  const groups = new Map<string, Key[]>();
  const uncountedKeys: Key[] = ignored.filter((key) => !assigned.has(key));
  const put = (key: Key, name: string | null): void => {
    if (name === null) uncountedKeys.push(key);
    else groups.set(name, [...(groups.get(name) ?? []), key]);
  };
  const background = keys === "labels" ? known.find(({ key }) => key === BACKGROUND)?.name : undefined;
  for (const { key, name } of known) {
    // Pixels without a shape have no label that could be another.
    const target = assigned.get(key) ?? (name === background ? undefined : others);
    put(key, target ? nameOf(target) : name);
  }
  for (const [key, target] of assigned)
    if (!known.some((source) => source.key === key)) put(key, nameOf(target));
  const othersName = others && nameOf(others);
  if (othersName != null && !groups.has(othersName)) groups.set(othersName, []);
  const classNames = orderOf([...groups.keys()], options, map);
  const index = new Map(classNames.map((name, label) => [name, label]));
  const classes = new Map<Key, number>();
  for (const [name, those] of groups) for (const key of those) classes.set(key, index.get(name)!);
  for (const key of uncountedKeys) classes.set(key, IGNORE);
  return {
    classNames,
    ignores: uncounted || uncountedKeys.length > 0 || othersName === null,
    keys,
    classes,
    ...(others && { others: othersName === null ? IGNORE : index.get(othersName!)! }),
  };
}

/** The keys that a line of the map means. */
function keysOf({ where, from }: Mapping, { keys, classes, ignored }: SourceClasses): readonly Key[] {
  if (from.kind === "name") {
    const named = classes
      .filter(({ key, name }) => name === from.name || key === from.name)
      .map(({ key }) => key);
    if (named.length > 0) return named;
    if (ignored.includes(from.name)) return [from.name];
    const names = classes.map(({ name }) => name);
    const shown = names.length > 12 ? `${names.slice(0, 12).join(", ")} …` : names.join(", ");
    throw new DataError(
      `${where}, maps ${JSON.stringify(from.name)}, which is no class of the data: it has ${shown || "none with a name"}.`,
    );
  }
  if (from.kind === "colour" && keys === "colours") return [from.colour];
  if (from.kind === "values" && keys === "values") {
    return Array.from({ length: from.last - from.first + 1 }, (_, i) => from.first + i);
  }
  const has = { values: "numbers", colours: "colours", labels: "names" }[keys];
  throw new DataError(
    `${where}, maps a ${from.kind === "colour" ? "colour" : "number"}, and the masks have ${has}: map those.`,
  );
}

/** The order of the classes: that of a file of names, by number where all the map's targets are numbers, else as they come. */
function orderOf(
  names: readonly string[],
  { classes: asked }: LabellingOptions,
  map: readonly Mapping[],
): readonly string[] {
  if (asked !== null && typeof asked === "object" && map.length > 0) {
    const order = Array.from(
      { length: Math.max(...asked.names.map(({ label }) => label)) + 1 },
      (_, label) => asked.names.find((named) => named.label === label)?.name ?? `class ${label}`,
    );
    const unknown = names.find((name) => !order.includes(name));
    if (unknown !== undefined) {
      const { where = asked.file } = map.find(({ to }) => to.kind === "name" && to.name === unknown) ?? {};
      throw new DataError(
        `${where}, has the class ${JSON.stringify(unknown)}, which ${asked.file} does not name: name it there, or map to one that it names.`,
      );
    }
    return order;
  }
  const byNumber = map.length > 0 && map.every(({ to }) => to.kind !== "name");
  const numberOf = (name: string): number => Number(/^class (\d+)$/.exec(name)?.[1] ?? NaN);
  if (!byNumber || !names.every((name) => numberOf(name) >= 0)) return names;
  return [...names].sort((a, b) => numberOf(a) - numberOf(b));
}

function checkClasses({ classNames, ignores }: Labelling, where: string): void {
  if (classNames.length < 2) {
    throw new DataError(
      `${where} gives ${classNames.length === 1 ? "one class" : "no class"}, and there is nothing to learn from fewer than two: label or map another.`,
    );
  }
  const most = ignores ? MOST_CLASSES - 1 : MOST_CLASSES;
  if (classNames.length > most) {
    throw new DataError(
      `${where} gives ${classNames.length} classes, and ${most} are the most there can be` +
        `${ignores ? " beside pixels that do not count" : ""}: merge some with --label-map.`,
    );
  }
}

function refuseUnknown(
  { classes, classNames, others, keys }: Labelling,
  { where }: SourceClasses,
  survey: Survey,
): void {
  if (others !== undefined) return;
  const unknown = [...survey].filter(([value]) => !classes.has(value));
  if (unknown.length === 0) return;
  const text = (value: number): string => (keys === "colours" ? colourText(value) : String(value));
  const [[value, { masks, file, at }]] = unknown;
  const rest = unknown.slice(1).map(([other]) => text(other));
  const shown = rest.length > 8 ? `${rest.slice(0, 8).join(", ")} …` : rest.join(", ");
  const highest = Math.max(...unknown.map(([other]) => other));
  const flags = [
    `say what it is with --label-map, a file with the line ${text(value)},CLASS or ${text(value)},ignore`,
    ...(keys === "values" ? [`--ignore-label ${value} if it does not count`] : []),
    ...(keys === "values" && highest < MOST_CLASSES
      ? [`--classes ${highest + 1} if each number is a class`]
      : []),
  ];
  throw new DataError(
    `${keyText(value, keys).replace(/^./, (first) => first.toUpperCase())} is none of the ${classNames.length} classes from ${where}: ` +
      `${count(masks, "mask")} ${masks === 1 ? "has" : "have"} it (${file} at pixel (${at.join(", ")}), counted from the top left, for ` +
      `one)${shown === "" ? "" : `, and ${shown} ${rest.length === 1 ? "is" : "are"} none either`}: ${flags.join(", or ")}.`,
  );
}

function sayGuessed(
  { classNames, classes, ignores }: Labelling,
  { where, keys, ignored }: SourceClasses,
  survey: Survey,
  say: (sentence: string) => void,
): void {
  if (where === "the masks' values") {
    const moved = [...classes].filter(([key, label]) => label !== IGNORE && key !== label);
    const how =
      moved.length === 0
        ? `0 to ${classNames.length - 1} are the classes`
        : `${[...classes]
            .filter(([, label]) => label !== IGNORE || !ignores)
            .slice(0, 8)
            .map(([key, label]) => `${key} is class ${label}, ${JSON.stringify(classNames[label])}`)
            .join("; ")}${classes.size > 8 ? "; …" : ""}`;
    say(`${classNames.length} classes, from the values in the masks: ${how}.`);
  }
  for (const key of keys === "values" ? ignored : []) {
    const found = survey.get(Number(key));
    if (found !== undefined) {
      say(
        `Value ${key} does not count, neither in the loss nor in any metric: ${found.pixels} pixels of ${count(found.masks, "mask")}.`,
      );
    }
  }
}
