import { choice, setting, text, toggle, whole } from "../setting.ts";

/** What the others have where nothing is said. */
export const presetSetting = setting(
  "--preset NAME",
  "Run",
  "settings to begin from: a first result within minutes, the tutorial's recipe, or the best of an hour of a GPU (chosen by experience, " +
    "not measured on hardware yet)",
  choice(["quick", "article", "best"]),
);

/** The names or kinds in a list of adapters. */
export const adapterList = (list: string): string[] => list.split(",").map((name) => name.trim());

/** Where and on what a run is made, and what it leaves. */
export const runSettings = {
  seed: setting(
    "--seed N",
    "Run",
    "decides first weights, order and augmentation: the same seed on the same adapter gives the same bits",
    whole(0).max(0xffffffff, "must be at most 4294967295"),
  ),
  deterministic: setting(
    "--deterministic",
    "Run",
    "make the first step twice before training and refuse an adapter that gives other bits the second time",
    toggle(),
  ),
  adapter: setting(
    "--adapter NAME",
    "Run",
    "hardware, lavapipe, swiftshader, or a part of an adapter's name; none for the best there is",
    text().nullable(),
  ),
  adapters: setting(
    "--adapters LIST",
    "Run",
    "of several ranks, what each takes by its place among those of its host, from the first again where there are more: names or kinds, as " +
      '"hardware,lavapipe"; none for what --adapter says, one after the other',
    text()
      .refine((list) => adapterList(list).every((name) => name !== ""), "must be names with commas between")
      .nullable(),
  ),
  tune: setting(
    "--tune MODE",
    "Run",
    "time the matrix products in several tiles before training, 10 seconds on hardware and minutes on a CPU, and take the " +
      "fastest; auto: on hardware only; off, as --no-tune: the default tiles. Measurements stay in .cache/tuning, and other " +
      "tiles may give other last bits",
    choice(["auto", "on", "off"]),
  ),
  allowSoftware: setting(
    "--allow-software",
    "Run",
    "take an adapter that runs on the CPU even for a run that would take it more than half a day",
    toggle(),
  ),
  name: setting(
    "--name NAME",
    "Run",
    "the run goes to runs/NAME-1, runs/NAME-2 …",
    text().regex(/^[\w.-]+$/, "must be made of letters, digits, dots, dashes and underscores"),
  ),
  out: setting("--out DIR", "Run", "the run goes to this folder instead", text().nullable()),
  saveEvery: setting(
    "--save-every N",
    "Run",
    "keep a checkpoint of every so many epochs besides the last and the best; none to keep only these",
    whole(1).nullable(),
  ),
  tensorboard: setting("--tensorboard", "Run", "write TensorBoard event files", toggle()),
};
