import type { RunState } from "../run-state.ts";
import { h, part, setText } from "./dom.ts";
import { duration, fixed, percent, rate } from "./format.ts";

interface Figure {
  readonly label: string;
  readonly value: (state: RunState) => string;
  readonly note: (state: RunState) => string;
}

/** The run's mean speed where it is over, the speed of the last steps while it goes on. */
const over = ({ status }: RunState): boolean => status === "finished" || status === "stopped";

const FIGURES: readonly Figure[] = [
  {
    label: "Loss",
    value: (s) => fixed(over(s) ? s.epochs.at(-1)?.loss : (s.latest?.loss ?? s.epochs.at(-1)?.loss)),
    note: (s) => (s.epochs.length > 0 ? `validation ${fixed(s.epochs.at(-1)!.valLoss)}` : "of a step"),
  },
  {
    label: "Training accuracy",
    value: (s) =>
      fixed(over(s) ? s.epochs.at(-1)?.accuracy : (s.latest?.accuracy ?? s.epochs.at(-1)?.accuracy)),
    note: (s) => (s.latest && !over(s) ? "of the last step" : "mean of the last epoch"),
  },
  {
    label: "Validation accuracy",
    value: (s) => fixed(s.epochs.at(-1)?.valAccuracy),
    note: (s) =>
      s.backgroundAccuracy === null ? "share of pixels" : `background ${fixed(s.backgroundAccuracy)}`,
  },
  {
    label: "Images a second",
    value: ({ pace, run }) =>
      rate(pace.stepsPerSecond === null || !run?.batchSize ? null : pace.stepsPerSecond * run.batchSize),
    note: (s) =>
      s.pace.stepsPerSecond === null
        ? "speed"
        : `${rate(s.pace.stepsPerSecond)} steps a second${s.latest === null ? ", validation included" : ""}`,
  },
  {
    label: "Waiting for data",
    value: ({ pace }) => percent(pace.waiting),
    note: () => "of the time",
  },
  {
    label: "Time",
    value: (s) => duration(s.summary?.seconds ?? elapsed(s)),
    note: (s) => (s.summary ? "from start to end" : "in whole epochs so far"),
  },
];

const elapsed = ({ epochs }: RunState): number | null =>
  epochs.length === 0 ? null : epochs.reduce((sum, { seconds }) => sum + seconds, 0);

/** The latest figures at a glance. */
export function now(): (state: RunState) => void {
  const rows = FIGURES.map((figure) => {
    const value = h("dd", {});
    const note = h("dd", { class: "muted" });
    return { figure, value, note, element: h("div", {}, h("dt", {}, figure.label), value, note) };
  });
  part("now").append(h("dl", { class: "figures" }, ...rows.map(({ element }) => element)));
  return (state) => {
    for (const { figure, value, note } of rows) {
      setText(value, figure.value(state));
      setText(note, figure.note(state));
    }
  };
}
