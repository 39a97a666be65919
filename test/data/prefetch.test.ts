import { expect, test } from "vitest";
import { Later, Prefetcher } from "../../src/data/prefetch.ts";

test("an item that comes later holds up neither the next one's beginning nor the order", async () => {
  const begun: number[] = [];
  const arrive: ((value: number) => void)[] = [];
  const produce = (): Promise<Later<number>> => {
    begun.push(begun.length);
    return Promise.resolve(new Later(new Promise<number>((resolve) => arrive.push(resolve))));
  };
  const stream = new Prefetcher(produce, { ahead: 2 });
  const first = stream.next();
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(begun).toEqual([0]);
  arrive[0](10);
  expect((await first).value).toBe(10);
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(begun).toEqual([0, 1, 2]);
  arrive[2](12);
  arrive[1](11);
  expect([(await stream.next()).value, (await stream.next()).value]).toEqual([11, 12]);
});

test("a later item's failure surfaces in its turn and ends the stream, which is closed once", async () => {
  let [made, closed] = [0, 0];
  const stream = new Prefetcher(
    () =>
      Promise.resolve(new Later(made++ === 1 ? Promise.reject(new Error("second")) : Promise.resolve(made))),
    { ahead: 3, close: () => Promise.resolve(void closed++) },
  );
  expect((await stream.next()).value).toBe(1);
  expect(closed).toBe(0);
  await expect(stream.next()).rejects.toThrow("second");
  expect(await stream.next()).toEqual({ done: true, value: undefined });
  await stream.return();
  expect(closed).toBe(1);
});

test("what fails because the stream was ended is no failure", async () => {
  let fail!: (reason: Error) => void;
  const item = new Promise<number>((_, reject) => (fail = reject));
  const stream = new Prefetcher(() => Promise.resolve(new Later(item)), {
    close: () => Promise.resolve(fail(new Error("closed"))),
  });
  const waiting = stream.next();
  await new Promise((resolve) => setTimeout(resolve, 5));
  await stream.return();
  expect(await waiting).toEqual({ done: true, value: undefined });
});
