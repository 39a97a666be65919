/** Seconds, and share of the run, that the others have to have waited for the slowest rank before it is named. */
const MATTERS = { seconds: 1, share: 0.05 };

/**
 * Names the rank that the others waited for: the one that has waited least itself.
 *
 * @param waits seconds that each rank has spent in exchanges
 * @param seconds of the whole run
 * @returns null where nobody waited long.
 */
export function stragglerSentence(
  waits: readonly number[],
  hosts: readonly string[],
  seconds: number,
): string | null {
  const slowest = waits.indexOf(Math.min(...waits));
  const others = waits.filter((_, rank) => rank !== slowest);
  const waited = others.reduce((sum, wait) => sum + wait - waits[slowest], 0) / others.length;
  if (!(waited >= Math.max(MATTERS.seconds, MATTERS.share * seconds))) return null;
  const who = others.length === 1 ? "the other" : "the others";
  return `Rank ${slowest} on ${hosts[slowest]} was the slowest: ${who} waited ${waited.toFixed(0)} s for it.`;
}
