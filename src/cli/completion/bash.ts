import type { Described } from "./described.ts";

/** For `source <(bespoke completion bash)`. */
export function bashScript(programs: readonly Described[]): string {
  return `# bash completion for bespoke
_bespoke() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} words=
  COMPREPLY=()
  if (( COMP_CWORD == 1 )); then
    COMPREPLY=($(compgen -W "${programs.map(({ name }) => name).join(" ")} --help --version" -- "$current"))
    return
  fi
  case "\${COMP_WORDS[1]} $previous" in
${programs.flatMap(valueCases).join("\n")}
  esac
  case \${COMP_WORDS[1]} in
${programs.map(({ name, flags, choices }) => `    ${name}) words="${[...choices, ...flags.map(({ long }) => long)].join(" ")}" ;;`).join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o bashdefault -o default -F _bespoke bespoke
`;
}

/** Behind a flag that takes a value: its names, or nothing, and bash itself offers files. */
function valueCases({ name, flags }: Described): string[] {
  return flags
    .filter(({ takesValue }) => takesValue)
    .map(({ long, choices }) => {
      const words = `COMPREPLY=($(compgen -W "${choices.join(" ")}" -- "$current")); `;
      return `    "${name} ${long}") ${choices.length > 0 ? words : ""}return ;;`;
    });
}
