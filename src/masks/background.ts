const BACKGROUND = /^_*(null|none|nothing|void|background|bg|unlabell?ed|unknown|others?|class 0)_*$/i;

/**
 * The class that pictures leave clear: class 0 where its name says that it is what lies around everything else, or where it has
 * no name. Null where class 0 is something to be seen, such as the road of a street.
 */
export const backgroundOf = ([first = "background"]: readonly string[]): 0 | null =>
  BACKGROUND.test(first.trim()) ? 0 : null;
