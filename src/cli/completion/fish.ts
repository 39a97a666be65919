import type { Described, DescribedFlag } from "./described.ts";

/** For `bespoke completion fish > ~/.config/fish/completions/bespoke.fish`. */
export function fishScript(programs: readonly Described[]): string {
  return `# fish completion for bespoke
complete -c bespoke -f
${programs.map(({ name, description }) => `complete -c bespoke -n __fish_use_subcommand -a ${name} -d ${quoted(description)}`).join("\n")}
${programs.flatMap((program) => [argumentLine(program), ...program.flags.map((flag) => flagLine(program.name, flag))]).join("\n")}
`;
}

function within(name: string): string {
  return `complete -c bespoke -n '__fish_seen_subcommand_from ${name}'`;
}

function argumentLine({ name, choices }: Described): string {
  return `${within(name)} ${choices.length > 0 ? `-a ${quoted(choices.join(" "))}` : "-F"}`;
}

function flagLine(name: string, { long, description, takesValue, choices }: DescribedFlag): string {
  const value = choices.length > 0 ? ` -x -a ${quoted(choices.join(" "))}` : takesValue ? " -r -F" : "";
  return `${within(name)} -l ${long.slice(2)}${value} -d ${quoted(description)}`;
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}
