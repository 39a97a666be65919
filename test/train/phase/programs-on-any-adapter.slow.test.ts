import { describe, expect, it } from "vitest";
import { DEFAULT_ENCODER, ENCODERS } from "../../../src/layers/networks/encoders.ts";
import { exceededLimits } from "../../helpers/exceeded-limits.ts";
import { PRETENDED_ADAPTERS } from "../../helpers/pretended-adapters.ts";
import { articleStep, planOn, precisionsOf, PROGRAMS } from "./plan-on.ts";

const ARTICLE = { batchSize: 64, imageSize: 128 };
/** As many pixels as the article's batch, in few photos; on one network of each kind, for planning a hundred takes minutes. */
const LARGE = { batchSize: 4, imageSize: 512 };
const ON_LARGE = ["densenet121", "mobilenetv2"];
/** Deeper ones of a network that is here: their layers have the same shapes. */
const LEFT_OUT = ["densenet169", "densenet201"];

/** The others run the encoder of the one and the decoder of the other. */
const LARGEST = ["finetune", "evaluation"] as const;

const named = PRETENDED_ADAPTERS.map((adapter) => [adapter.name, adapter] as const);

describe.each(named)("every program on %s is within every limit", (_, adapter) => {
  const cases = ENCODERS.filter(({ name }) => !LEFT_OUT.includes(name)).flatMap((encoder) =>
    precisionsOf(adapter).flatMap((precision) =>
      (ON_LARGE.includes(encoder.name) ? [ARTICLE, LARGE] : [ARTICLE]).map((size) => ({
        ...{ encoder, precision },
        ...size,
      })),
    ),
  );
  it.each(cases.map((each) => [each.encoder.name, each.precision, each.imageSize, each] as const))(
    "%s in %s at %i²",
    (_encoder, _precision, _size, changed) => {
      for (const program of changed.encoder === DEFAULT_ENCODER ? PROGRAMS : LARGEST) {
        const planned = planOn(adapter, program, { ...articleStep, ...changed });
        expect(exceededLimits(planned, adapter), program).toEqual([]);
      }
    },
  );
});
