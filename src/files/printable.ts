/** What a terminal would obey instead of showing, and what would turn the order of the text around it. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\u{202A}-\u{202E}\u{2066}-\u{2069}]/gu;

/**
 * A name from a file, of any length and characters, as it can be shown on a line.
 *
 * @param longest characters
 */
export function printable(name: string, longest = 200): string {
  const clipped = name.length <= longest ? name : `${name.slice(0, longest - 3)}...`;
  return clipped.replace(UNPRINTABLE, "?");
}
