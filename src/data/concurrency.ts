/**
 * `Promise.all(items.map(work))` with at most `limit` of them under way. After a failure no further item is
 * begun, and the rejection comes when those under way have ended.
 */
export async function mapConcurrently<Item, Result>(
  items: readonly Item[],
  work: (item: Item, position: number) => Promise<Result>,
  limit = 8,
): Promise<Result[]> {
  const results = new Array<Result>(items.length);
  let next = 0;
  let failed = false;
  const lane = async (): Promise<void> => {
    while (next < items.length && !failed) {
      const position = next++;
      try {
        results[position] = await work(items[position], position);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const lanes = Array.from({ length: Math.min(limit, items.length) }, lane);
  await Promise.allSettled(lanes);
  await Promise.all(lanes);
  return results;
}
