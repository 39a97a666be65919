import type { Described, DescribedFlag } from "./described.ts";

/** For `source <(bespoke completion zsh)`, or as the file `_bespoke` in a folder of `$fpath`. */
export function zshScript(programs: readonly Described[]): string {
  return `#compdef bespoke
_bespoke() {
  if (( CURRENT == 2 )); then
    local -a programs=(
${programs.map(({ name, description }) => `      ${quoted(`${name}:${description}`)}`).join("\n")}
    )
    _describe program programs
    return
  fi
  local program=$words[2]
  shift words
  (( CURRENT-- ))
  case $program in
${programs.map(programCase).join("\n")}
  esac
}
if [ "$funcstack[1]" = _bespoke ]; then _bespoke "$@"; else compdef _bespoke bespoke; fi
`;
}

function programCase({ name, flags, choices }: Described): string {
  return (
    [
      `    ${name}) _arguments`,
      ...flags.map(flagSpec),
      quoted(choices.length > 0 ? `*:argument:(${choices.join(" ")})` : "*:file:_files"),
    ].join(" \\\n      ") + " ;;"
  );
}

function flagSpec({ long, description, takesValue, choices }: DescribedFlag): string {
  const values = choices.length > 0 ? `(${choices.join(" ")})` : "_files";
  // In the brackets of a specification these are signs.
  return quoted(
    `${long}[${description.replace(/[\\[\]:]/g, "\\$&")}]${takesValue ? `:value:${values}` : ""}`,
  );
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
