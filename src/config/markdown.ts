import { preset } from "./presets.ts";
import { schema, SETTING_NAMES } from "./schema.ts";
import type { SettingName, TrainConfig } from "./schema.ts";
import { descriptions, GROUPS } from "./setting.ts";

/** The presets' columns, with pretrained weights. */
const COLUMNS: readonly (readonly [string, TrainConfig])[] = [
  ["`article`", preset("article", "hardware", true)],
  ["`quick`", preset("quick", "hardware", true)],
  ["`best`", preset("best", "hardware", true)],
  ["`quick` on lavapipe", preset("quick", "lavapipe", true)],
];

/** `docs/configuration.md`: every setting with its flag, its key in a file and the presets' values. */
export function configurationMarkdown(): string {
  return `# Settings

Every setting of \`npm run train\` can be given as a flag or as a key of a YAML or JSON file (\`--config FILE\`; a run's own
\`config.json\` is such a file). Flags win over the file, and what neither says comes from the preset. \`--no-…\` turns a
switch off; \`none\` (in a file \`null\`) means what the table says. Flags stand behind a \`--\` (in PowerShell \`'--'\`), as npm keeps
those before it for itself. Paths are relative to where you stand; those in a file, and where a run goes by itself, to the checkout.

Ctrl-C, SIGTERM and a closed terminal stop a run with a checkpoint, for \`--resume\`; so does the end of the npm that started it. Only
SIGINT sent to npm alone may get stuck in the shell below npm (dash on Debian and Ubuntu): send SIGTERM. A container ends with its first
process, and npm does not wait: there, run \`node scripts/launch.mjs src/cli/train.ts\` in its place. \`setsid npm run train\` (or
tmux) outlives the terminal; \`nohup\` has no effect on Node.

The presets' values here are those with pretrained weights; without them \`quick\` is one epoch frozen and two fine-tuning at
the full learning rate, and \`best\` one of 30 frozen. On SwiftShader \`quick\` is smaller still; where the CPU does the work, \`best\` has photos of 96×64
and batches of 4.

_This page is written by \`npm run docs\` from \`src/config\`._
${GROUPS.map(groupTable).join("")}`;
}

function groupTable(group: string): string {
  const names = SETTING_NAMES.filter((name) => descriptions.get(schema.shape[name])!.group === group);
  const header = ["flag", "key", "what", ...COLUMNS.map(([title]) => title)];
  const rows = names.map((name) => {
    const { flag, value, summary } = descriptions.get(schema.shape[name])!;
    const values = COLUMNS.map(([, config]) => formatValue(config, name));
    return [`\`${flag}${value && ` ${value}`}\``, `\`${name}\``, summary, ...values];
  });
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return ["", `## ${group}`, "", line(header), line(header.map(() => "---")), ...rows.map(line), ""].join(
    "\n",
  );
}

function formatValue(config: TrainConfig, name: SettingName): string {
  const value = config[name];
  if (value === null) return "none";
  if (Array.isArray(value)) return value.join(", ");
  if (typeof value === "boolean") return value ? "yes" : "no";
  return String(value);
}
