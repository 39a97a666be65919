/**
 * The names that somebody may have meant by `said`, best first: those it is a part of, or that are within a third of its letters in
 * edits (Levenshtein, where two neighbours that changed places are one edit), whatever their case and whether their words are joined by `_`, `-` or nothing.
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

/** Letters to insert, remove, replace or swap with their neighbour to make one of the other. */
function distance(from: string, to: string): number {
  const rows = [Array.from({ length: to.length + 1 }, (_, i) => i)];
  for (let i = 1; i <= from.length; i++) {
    const above = rows[i - 1];
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = above[j - 1] + (from[i - 1] === to[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      const swapped = isSwap ? rows[i - 2][j - 2] + 1 : Infinity;
      row.push(Math.min(replaced, swapped, above[j] + 1, row[j - 1] + 1));
    }
    rows.push(row);
  }
  return rows[from.length][to.length];
}
