import { text } from "./svg.ts";
import type { TextStyle } from "./svg.ts";

export const LINE = 19;

/** Text in lines of at most `letters` letters, the first line's baseline at `y`; a longer word has a line of its own. */
export function paragraph(
  content: string,
  { x, y, letters }: { readonly x: number; readonly y: number; readonly letters: number },
  style?: TextStyle,
): string[] {
  const lines: string[] = [];
  for (const word of content.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= letters) lines[lines.length - 1] += ` ${word}`;
    else lines.push(word);
  }
  return lines.map((line, i) => text(line, x, y + i * LINE, style));
}
