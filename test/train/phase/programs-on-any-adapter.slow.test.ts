import { describe, expect, it } from "vitest";
import { ENCODERS } from "../../../src/layers/networks/encoders.ts";
import { exceededLimits } from "../../helpers/exceeded-limits.ts";
import { PRETENDED_ADAPTERS } from "../../helpers/pretended-adapters.ts";
import { articleStep, planOn, precisionsOf, PROGRAMS } from "./plan-on.ts";

/** Four photos of 512² are as large as the article's batch. */
const SIZES = [
  { batchSize: 64, imageSize: 128 },
  { batchSize: 4, imageSize: 512 },
];

const named = PRETENDED_ADAPTERS.map((adapter) => [adapter.name, adapter] as const);

describe.each(named)("every program on %s is within every limit", (_, adapter) => {
  const cases = ENCODERS.flatMap((encoder) =>
    precisionsOf(adapter).flatMap((precision) => SIZES.map((size) => ({ encoder, precision, ...size }))),
  );
  it.each(cases.map((each) => [each.encoder.name, each.precision, each.imageSize, each] as const))(
    "%s in %s at %i²",
    (_encoder, _precision, _size, changed) => {
      for (const program of PROGRAMS) {
        const planned = planOn(adapter, program, { ...articleStep, ...changed });
        expect(exceededLimits(planned, adapter), program).toEqual([]);
      }
    },
  );
});
