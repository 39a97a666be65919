import type { PredictOutcome, Stage } from "./predict.ts";
import { STAGES } from "./predict.ts";

const NAMES: Readonly<Record<Stage, string>> = {
  decode: "decoding",
  network: "the network",
  encode: "encoding",
  write: "writing",
};

/** How fast photos were labelled, and which stage the others waited for, in a sentence or two; null where none was labelled. */
export function speedText({ labelled, seconds, stages }: PredictOutcome): string | null {
  if (labelled === 0 || seconds <= 0) return null;
  const share = (part: number): string => `${Math.round((100 * part) / seconds)} %`;
  const parts = STAGES.map((stage, i) => {
    const { worked, waited } = stages[stage];
    return i === 0
      ? `${NAMES[stage]} worked ${share(worked)} of the time and waited ${share(waited)}`
      : `${NAMES[stage]} ${share(worked)} and ${share(waited)}`;
  });
  const busiest = STAGES.reduce((a, b) => (stages[b].worked > stages[a].worked ? b : a));
  return (
    `Speed: ${perSecond(labelled / seconds)} photos a second, ${labelled} in ${seconds.toFixed(1)} s. ` +
    `Of the stages ${parts.join(", ")}: most is to be gained in ${NAMES[busiest]}.`
  );
}

const perSecond = (rate: number): string => rate.toFixed(rate < 0.95 ? 2 : 1);
