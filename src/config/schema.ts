import { z } from "zod";
import { dataSettings } from "./settings/data.ts";
import { lengthSettings } from "./settings/length.ts";
import { networkSettings } from "./settings/network.ts";
import { optimizationSettings } from "./settings/optimization.ts";
import { presetSetting, runSettings } from "./settings/run.ts";

/**
 * Everything that decides a run. This one table gives the flags, the keys of a configuration file, `config.json`, the
 * documentation and the messages about values that cannot be used.
 */
export const schema = z.strictObject({
  preset: presetSetting,
  ...dataSettings,
  ...networkSettings,
  ...optimizationSettings,
  ...lengthSettings,
  ...runSettings,
});

/** Every setting of a run, resolved: what each means is in docs/configuration.md. */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- a name in messages and documents in place of all its keys
export interface TrainConfig extends z.infer<typeof schema> {}

/** What somebody has said of some settings, not yet checked. */
export type Said = { readonly [Key in keyof TrainConfig]?: unknown };

export type SettingName = keyof TrainConfig;
export const SETTING_NAMES = Object.keys(schema.shape) as SettingName[];

/** Whether there is a setting of that name. `in` would also find what every object has, such as `toString`. */
export const isSetting = (name: string): name is SettingName => Object.hasOwn(schema.shape, name);
