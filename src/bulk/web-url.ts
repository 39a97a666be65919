/** Whether a place is a URL of the web. */
export const isWebUrl = (place: string): boolean => /^https?:\/\//i.test(place);

/**
 * A URL as it may be shown and kept: without name and password, and without its query, where signatures and keys are. Null where it
 * is none.
 */
export function shownUrl(text: string): string | null {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  return `${url.protocol}//${url.host}${url.pathname}${url.search === "" ? "" : "?…"}`;
}

/** What a URL's path is called as outputs: the host and the path. */
export function pathOfUrl(text: string): string {
  const { host, pathname } = new URL(text);
  return `${host}${pathname}`;
}
