import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Graph } from "../../../../src/graph/graph.ts";
import {
  channelsBefore,
  denseBlockShape,
  firstConv,
  layerChannels,
  secondConv,
} from "../../../../src/graph/ops/dense-block/shape.ts";

describe("denseBlockShape", () => {
  it("says how many channels there are, and where those of a layer begin", () => {
    const four = (most: number): fc.Arbitrary<number> => fc.integer({ min: 1, max: most }).map((n) => 4 * n);
    fc.assert(
      fc.property(
        four(64),
        four(16),
        four(64),
        fc.integer({ min: 1, max: 24 }),
        (channels, growth, bottleneck, layers) => {
          const x = new Graph().input("x", [3, 5, 7, channels]);
          const s = denseBlockShape(x, { layers, growth, bottleneck });
          expect(s).toMatchObject({ batch: 3, height: 5, width: 7, channels, middle: layers * bottleneck });
          let before = 0;
          let read = channels;
          for (let layer = 0; layer < layers; layer++) {
            expect(channelsBefore(s, layer)).toBe(before);
            expect(layerChannels(s, layer)).toBe(read);
            expect(firstConv(s, layer, 2)).toMatchObject({
              batch: 2,
              inChannels: read,
              outChannels: bottleneck,
            });
            before += read;
            read += growth;
          }
          expect(s.normed).toBe(before);
          expect(s.outChannels).toBe(read);
          expect(secondConv(s, 1)).toMatchObject({
            inChannels: bottleneck,
            outChannels: growth,
            outWidth: 7,
            padTop: 1,
          });
        },
      ),
      { numRuns: 20 },
    );
  });
});
