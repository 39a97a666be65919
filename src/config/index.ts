export { readConfigFile } from "./file.ts";
export { preset } from "./presets.ts";
export type { AdapterKind } from "./presets.ts";
export { resolveConfig } from "./resolve.ts";
export type { Source } from "./resolve.ts";
export { isWeighting, schema, SETTING_NAMES } from "./schema.ts";
export type { Said, SettingName, TrainConfig, Weighting } from "./schema.ts";
export { ConfigError, descriptions, GROUPS } from "./setting.ts";
