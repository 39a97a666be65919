import { expect, it } from "vitest";
import { Pictures } from "../../src/ui/pictures.ts";

it("keeps within its bytes by thinning out what is old", () => {
  const pictures = new Pictures();
  for (let epoch = 1; epoch <= 10; epoch++) {
    pictures.add({ id: `epoch-${epoch}`, label: `Epoch ${epoch}` }, Buffer.alloc(10, epoch), 55);
  }
  const kept = pictures.list.map(({ id }) => id);
  expect(kept.length * 10).toBeLessThanOrEqual(55);
  expect(kept.at(-1)).toBe("epoch-10");
  expect(kept[0]).not.toBe("epoch-6");
  expect(pictures.get("epoch-10")?.[0]).toBe(10);
  expect(pictures.get("epoch-1000")).toBeNull();
});
