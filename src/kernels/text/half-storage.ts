/**
 * @file Buffers that hold f16. Kernels are written for f32 throughout, and compute so; how the numbers of a buffer are
 * stored is no concern of theirs. Where one is bound to a tensor of f16 its text is rewritten: a load `x[i]` becomes
 * `vec4f(x[i])`, and a store `y[i] = value;` becomes `y[i] = vec4h(value);`, which rounds it.
 *
 * It is done on the text because WGSL has no way to say it; a kernel must use its buffers in whole elements, `name[index]`.
 */
import type { Kernel } from "../kernel.ts";

interface Element {
  /** WGSL type that the kernel computes with, and the one in memory. */
  readonly computed: string;
  readonly stored: string;
}

/** What an array of either type can be halved to. */
const ELEMENTS: Readonly<Record<string, Element>> = {
  "array<f32>": { computed: "f32", stored: "f16" },
  "array<vec4f>": { computed: "vec4f", stored: "vec4h" },
};

/**
 * `kernel` with its buffers `names` holding f16 (IEEE 754 binary16). It needs the feature `shader-f16`.
 *
 * @throws Error when a buffer holds anything but f32, or a part of an element is stored.
 */
export function storedAsHalf(kernel: Kernel, names: readonly string[]): Kernel {
  if (names.length === 0) return kernel;
  const elements = new Map<string, Element>();
  const bindings = kernel.bindings.map((binding) => {
    if (!names.includes(binding.name)) return binding;
    const element = ELEMENTS[binding.type];
    if (!element) throw new Error(`${kernel.label}: "${binding.name}", ${binding.type}, cannot hold f16.`);
    elements.set(binding.name, element);
    return { ...binding, type: `array<${element.stored}>` };
  });
  const declaration = new RegExp(`(var<storage, \\w+> (${names.join("|")})): array<\\w+>`, "g");
  const declared = kernel.wgsl.replace(
    declaration,
    (_, before: string, name: string) => `${before}: array<${elements.get(name)!.stored}>`,
  );
  return { ...kernel, bindings, wgsl: `enable f16;\n${rewrite(kernel.label, declared, elements)}` };
}

function rewrite(label: string, text: string, elements: ReadonlyMap<string, Element>): string {
  const inner = (part: string): string => rewrite(label, part, elements);
  // What is in a comment is no use of a buffer.
  const use = new RegExp(
    `//[^\\n]*|/\\*[\\s\\S]*?\\*/|(?<![\\w.])(${[...elements.keys()].join("|")})\\[`,
    "g",
  );
  let result = "";
  let done = 0;
  for (let match = use.exec(text); match; match = use.exec(text)) {
    const name: string | undefined = match[1];
    if (name === undefined) continue;
    const { computed, stored } = elements.get(name)!;
    const close = closingBracket(text, use.lastIndex);
    const place = `${name}[${inner(text.slice(use.lastIndex, close))}]`;
    const rest = text.slice(close + 1);
    if (/^(\[[^\]]*\]|\.\w+)\s*[-+*/]?=(?!=)/.test(rest)) {
      throw new Error(`${label} stores a part of an element of "${name}", which cannot hold f16.`);
    }
    result += text.slice(done, match.index);
    done = close + 1;
    const assignment = /^\s*([-+*/]?)=(?!=)/.exec(rest);
    if (assignment) {
      const [equals, operator] = assignment;
      const end = text.indexOf(";", done);
      const value = inner(text.slice(done + equals.length, end)).trim();
      const sum = operator === "" ? value : `${computed}(${place}) ${operator} (${value})`;
      result += `${place} = ${stored}(${sum})`;
      done = end;
    } else {
      result += `${computed}(${place})`;
    }
    use.lastIndex = done;
  }
  return result + text.slice(done);
}

/** Where the bracket that is open before `from` is closed. */
function closingBracket(text: string, from: number): number {
  let open = 1;
  for (let at = from; at < text.length; at++) {
    if (text[at] === "[") open++;
    else if (text[at] === "]" && --open === 0) return at;
  }
  throw new Error(`A bracket is never closed in:\n${text}`);
}
