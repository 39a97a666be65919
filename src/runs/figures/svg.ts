const ESCAPES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** Text as it may stand in an SVG element or attribute. Control characters, which XML forbids, become spaces. */
export const escapeXml = (text: string): string =>
  // eslint-disable-next-line no-control-regex
  text.replace(/[\u0000-\u001f\ufffe\uffff]/g, " ").replace(/[&<>"]/g, (character) => ESCAPES[character]);

export interface TextStyle {
  /** Height of the letters in units of the SVG; 13 when left out. */
  readonly size?: number;
  readonly bold?: boolean;
  readonly colour?: string;
  readonly anchor?: "start" | "middle" | "end";
}

/** Colours of figures' writing. */
export const INK = "#1c2430";
export const MUTED = "#667080";

/** A line of text whose baseline is at `y`. */
export function text(content: string, x: number, y: number, style: TextStyle = {}): string {
  const { size = 13, bold = false, colour = INK, anchor = "start" } = style;
  const weight = bold ? ` font-weight="600"` : "";
  return `<text x="${x}" y="${y}" font-size="${size}"${weight} fill="${colour}" text-anchor="${anchor}">${escapeXml(content)}</text>`;
}

/** A whole document on white. */
export function svgDocument(width: number, height: number, content: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="Inter, sans-serif">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...content,
    `</svg>`,
  ].join("\n");
}

/** `text` in at most `length` characters, cut in the middle: a file name's beginning and end tell most. */
export function shorten(text: string, length: number): string {
  const characters = [...text];
  if (characters.length <= length) return text;
  const end = Math.floor((length - 1) / 2);
  return `${characters.slice(0, length - 1 - end).join("")}…${characters.slice(characters.length - end).join("")}`;
}
