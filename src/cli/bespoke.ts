import { Argument, Command } from "commander";
import { likely } from "../config/likely.ts";
import { VERSION } from "../files/package.ts";
import { completionScript, SHELLS } from "./completion/completion.ts";
import type { Shell } from "./completion/completion.ts";
import { PROGRAMS } from "./programs.ts";
import { runCommand } from "./run-command.ts";

const HELP = ["help", "--help", "-h"];
const VERSION_FLAGS = ["--version", "-V"];

/**
 * Runs what the command line of `bespoke` names: a program, or help, the version, a shell's completion.
 *
 * @param args what follows `bespoke`
 */
export async function bespoke(args: readonly string[]): Promise<void> {
  const [name = "--help", ...rest] = args;
  const program = PROGRAMS.get(name);
  if (program) {
    process.argv.splice(1, Infinity, name, ...rest);
    await program.run();
  } else if (HELP.includes(name)) {
    help(rest[0]);
  } else if (VERSION_FLAGS.includes(name)) {
    process.stdout.write(`${VERSION}\n`);
  } else if (name === "completion") {
    process.argv.splice(1, Infinity, name, ...rest);
    const command = completionCommand();
    await runCommand(command, () => {
      const [shell] = command.processedArgs as [Shell];
      process.stdout.write(completionScript(shell, definitions()));
      return Promise.resolve();
    });
  } else refuse(name);
}

/** What all programs take, by name; `completion` and `help` among them. */
function definitions(): Command[] {
  const help = new Command("help")
    .description("Says how a program is used.")
    .addArgument(new Argument("[program]", "the program").choices([...PROGRAMS.keys()]));
  return [...[...PROGRAMS.values()].map(({ define }) => define()), completionCommand(), help];
}

function completionCommand(): Command {
  return new Command("completion")
    .description(
      "Prints what makes a shell complete programs, flags and files: docs/commands.md says where it goes.",
    )
    .addArgument(new Argument("<shell>", "the shell").choices(SHELLS));
}

function help(name: string | undefined): void {
  const one = PROGRAMS.get(name ?? "")?.define();
  if (one) one.name(`bespoke ${one.name()}`).outputHelp();
  else if (name === undefined) overview().outputHelp();
  else refuse(name);
}

/** `bespoke --help`: every program with the first sentence of its description, in groups. */
function overview(): Command {
  const all = new Command("bespoke")
    .usage("<program> [arguments]")
    .description("Trains, checks and uses networks that label every pixel of a photo, on any GPU or none.")
    .version(VERSION, "-V, --version", "print the version")
    .helpOption("-h, --help", "say all this; `bespoke help train` says how train is used")
    .addHelpText(
      "after",
      "\nExit codes: 0 all went well, 1 something was wrong, 130 interrupted (docs/commands.md).",
    );
  all.configureHelp({ subcommandTerm: (command) => command.name() });
  for (const command of definitions()) {
    const { group = "Of bespoke itself:" } = PROGRAMS.get(command.name()) ?? {};
    all.addCommand(command.summary(firstSentence(command.description())).helpGroup(group));
  }
  return all.helpCommand(false);
}

function firstSentence(text: string): string {
  return /^.*?[^.](?=[.:;]\s|\.$|$)/.exec(text)![0];
}

function refuse(name: string): void {
  const [nearest] = likely(name, [...PROGRAMS.keys(), "help", "completion"], 1);
  const instead = nearest === undefined ? ":" : `: did you mean ${nearest}?`;
  process.stderr.write(`bespoke: there is no program "${name}"${instead} \`bespoke --help\` lists them.\n`);
  process.exitCode = 1;
}
