/**
 * The names that somebody may have meant by `said`, best first: those it is a part of, or that are within a third of its letters in
 * edits (Levenshtein), whatever their case and whether their words are joined by `_`, `-` or nothing.
 */
export function likely(said: string, names: readonly string[], most = 3): string[] {
  const asked = plain(said);
  if (asked === "") return [];
  return names
    .map((name) => ({ name, distance: distance(asked, plain(name)) }))
    .filter(
      ({ name, distance }) =>
        distance <= asked.length / 3 || (asked.length > 2 && plain(name).includes(asked)),
    )
    .sort((a, b) => a.distance - b.distance)
    .slice(0, most)
    .map(({ name }) => name);
}

const plain = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");

/** Letters to insert, remove or replace to make one of the other. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 1; i <= from.length; i++) {
    const above = row;
    row = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = above[j - 1] + (from[i - 1] === to[j - 1] ? 0 : 1);
      row.push(Math.min(replaced, above[j] + 1, row[j - 1] + 1));
    }
  }
  return row[to.length];
}
