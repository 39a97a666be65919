import { h } from "../page/dom.ts";

/** Hands a file to the browser's downloads. */
export function download(file: Blob, name: string): void {
  const url = URL.createObjectURL(file);
  h("a", { href: url, download: name }).click();
  // The browser begins to read it in its own time.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
