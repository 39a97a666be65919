import { spawnSync } from "node:child_process";
import { Argument, Command, Option } from "commander";
import { describe, expect, it } from "vitest";
import { completionScript } from "../../../src/cli/completion/completion.ts";
import { noteChoices } from "../../../src/cli/option-choices.ts";

const commands = [
  new Command("train")
    .description("Trains: it's [quick].")
    .addOption(new Option("--card <CARD>", "a card").choices(["navi", "hopper"]))
    .addOption(noteChoices(new Option("--preset <quick|best>", "a preset"), ["quick", "best"]))
    .addOption(new Option("--no-cache").hideHelp())
    .option("--data <DIR>", "photos")
    .option("--dry-run", "do nothing"),
  new Command("completion").addArgument(new Argument("<shell>").choices(["bash", "zsh"])),
];
const within = new Command("queue").option("--all", "all");
within.command("add").option("--name <name>", "a name");
within.command("work").option("--name <name>", "a name").option("--drain", "end");
commands.push(within);
const has = (shell: string): boolean => spawnSync(shell, ["--version"]).status === 0;

describe("in bash", () => {
  /** What Tab offers behind these words. */
  function offered(...words: string[]): string[] {
    const script = `${completionScript("bash", commands)}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length - 1}
_bespoke; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr, status } = spawnSync("bash", ["-c", script], { encoding: "utf8" });
    expect([stderr, status]).toEqual(["", 0]);
    return stdout.split("\n").filter(Boolean);
  }

  it("offers programs, flags, values and, where neither is known, files", (context) => {
    if (!has("bash")) context.skip("there is no bash here");
    expect(offered("bespoke", "")).toEqual(["train", "completion", "queue", "--help", "--version"]);
    expect(offered("bespoke", "queue", "")).toEqual(["add", "work", "--all", "--name", "--drain", "--help"]);
    expect(offered("bespoke", "queue", "work", "--d")).toEqual(["--drain"]);
    expect(offered("bespoke", "t")).toEqual(["train"]);
    expect(offered("bespoke", "train", "--d")).toEqual(["--data", "--dry-run"]);
    expect(offered("bespoke", "train", "--dry-run", "--pre")).toEqual(["--preset"]);
    expect(offered("bespoke", "train", "--preset", "")).toEqual(["quick", "best"]);
    expect(offered("bespoke", "train", "--card", "h")).toEqual(["hopper"]);
    // Nothing of ours: `complete -o default` has files then.
    expect(offered("bespoke", "train", "--data", "")).toEqual([]);
    expect(offered("bespoke", "completion", "")).toEqual(["bash", "zsh", "--help"]);
  });
});

describe("in zsh and fish", () => {
  it("has what a description must not break out of in quotes", () => {
    expect(completionScript("zsh", commands)).toContain(`'train:Trains: it'\\''s [quick].'`);
    expect(completionScript("zsh", commands)).toContain("'--preset[a preset]:value:(quick best)'");
    expect(completionScript("zsh", commands)).toContain("'--data[photos]:value:_files'");
    expect(completionScript("fish", commands)).toContain(`-a train -d 'Trains: it\\'s [quick].'`);
    const within = "complete -c bespoke -n '__fish_seen_subcommand_from train'";
    expect(completionScript("fish", commands)).toContain(`${within} -l card -x -a 'navi hopper' -d 'a card'`);
    expect(completionScript("fish", commands)).toContain(`${within} -l data -r -F -d 'photos'`);
    for (const shell of ["bash", "zsh", "fish"] as const)
      expect(completionScript(shell, commands)).not.toContain("no-cache");
  });

  it.for(["zsh", "fish"] as const)("is %s's syntax", (shell, context) => {
    if (!has(shell)) context.skip(`there is no ${shell} here to read the script`);
    const { status, stderr } = spawnSync(shell, ["-n"], {
      input: completionScript(shell, commands),
      encoding: "utf8",
    });
    expect([status, stderr]).toEqual([0, ""]);
  });
});
