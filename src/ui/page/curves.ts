import { phaseName } from "../../runs/phase.ts";
import type { RunState } from "../run-state.ts";
import { chart } from "./chart.ts";
import type { ChartData } from "./chart.ts";
import { h, part, scrollable, table } from "./dom.ts";
import { duration, fixed } from "./format.ts";

/** Accuracy and loss over the run, and the same as a table. */
export function curves(): (state: RunState) => void {
  let state: RunState | null = null;
  let selected: number | null = null;
  const select = (epoch: number | null): void => {
    if (epoch === selected) return;
    selected = epoch;
    draw();
  };
  const accuracy = chart({ title: "Accuracy", share: true, onSelect: select });
  const loss = chart({ title: "Loss", share: false, onSelect: select });
  const rows = h("div", {});
  part("curves").append(
    h("h2", { id: "curves-title" }, "Curves"),
    h("div", { class: "pair" }, accuracy.element, loss.element),
    h("details", {}, h("summary", {}, "Epochs as a table"), rows),
  );

  function draw(): void {
    if (!state) return;
    accuracy.show(chartData(state, "accuracy"), selected);
    loss.show(chartData(state, "loss"), selected);
  }

  let tabled: RunState["epochs"] | null = null;
  return (next) => {
    state = next;
    draw();
    if (tabled === next.epochs) return;
    tabled = next.epochs;
    rows.replaceChildren(
      next.epochs.length === 0
        ? h("p", { class: "muted" }, "No epoch is done yet.")
        : scrollable("Epochs", epochTable(next)),
    );
  };
}

function chartData(
  { run, curve, epochs, backgroundAccuracy }: RunState,
  metric: "accuracy" | "loss",
): ChartData {
  const perEpoch = run?.stepsPerEpoch ?? null;
  const validation = metric === "accuracy" ? "valAccuracy" : "valLoss";
  const from = run?.fineTuningFrom ?? null;
  return {
    steps:
      perEpoch === null
        ? { at: [], values: [] }
        : { at: curve.steps.map((step) => step / perEpoch), values: curve[metric] },
    epochs: epochs.map((row) => ({ epoch: row.epoch, training: row[metric], validation: row[validation] })),
    mark: from === null ? null : from - 1,
    level:
      metric === "accuracy" && backgroundAccuracy !== null
        ? { value: backgroundAccuracy, label: "all background" }
        : null,
  };
}

const epochTable = ({ epochs, run }: RunState): HTMLTableElement =>
  table(
    [
      "Epoch",
      "Phase",
      "Loss",
      "Accuracy",
      "Validation loss",
      "Validation accuracy",
      "Mean IoU",
      "Dice",
      "Weighted IoU",
      "Time",
    ],
    epochs.map((row) => [
      String(row.epoch),
      phaseName(row.phase, run?.freeze ?? "encoder"),
      fixed(row.loss),
      fixed(row.accuracy),
      fixed(row.valLoss),
      fixed(row.valAccuracy),
      fixed(row.valMeanIou),
      fixed(row.valDice),
      fixed(row.valFwIou),
      duration(row.seconds),
    ]),
  );
