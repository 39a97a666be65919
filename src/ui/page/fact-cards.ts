import type { Summary } from "../../runs/summary.ts";
import type { Facts, RunState } from "../run-state.ts";
import { facts, h, part } from "./dom.ts";
import { duration, factRows, fixed, bytes, whole } from "./format.ts";

/** Settings and machine of the run. */
export function factCards(): (state: RunState) => void {
  const card = (title: string): ((value: Facts | null) => void) => {
    const body = h("div", {});
    const element = h("details", { class: "card", open: true }, h("summary", {}, h("h2", {}, title)), body);
    part("facts").append(element);
    let shown: Facts | null | undefined;
    return (value) => {
      if (value === shown) return;
      shown = value;
      element.hidden = value === null;
      body.replaceChildren(...(value ? [facts(factRows(value))] : []));
    };
  };
  const config = card("Settings");
  const environment = card("Machine");
  return (state) => {
    config(state.config);
    environment(state.environment);
  };
}

/** What was monitored at its best; runs of earlier versions went by the accuracy. */
function best(summary: Summary & Partial<Pick<Summary, "monitor">>): string {
  const { monitor = "val_accuracy", best_value = summary.best_val_accuracy, best_epoch } = summary;
  return `${monitor.replaceAll("_", " ")} ${fixed(best_value)} after epoch ${best_epoch}`;
}

/** How the run ended; hidden before. */
export function result(): (state: RunState) => void {
  const section = part("result");
  let shown: RunState["summary"] = null;
  return ({ summary }) => {
    section.hidden = summary === null;
    if (summary === shown) return;
    shown = summary;
    if (summary === null) return;
    const known: [string, string][] = [
      ["Validation accuracy", `${fixed(summary.val_accuracy)}, loss ${fixed(summary.val_loss)}`],
      ["Best", best(summary)],
      ["Mean IoU", fixed(summary.val_mean_iou)],
      ["Dice", fixed(summary.val_dice)],
      ["Weighted IoU", fixed(summary.val_fw_iou)],
      ["Background everywhere", fixed(summary.background_accuracy)],
      ["Trained", `${summary.epochs} epochs, ${whole(summary.steps)} steps`],
      ["Time", `${duration(summary.seconds)}; ${duration(summary.data_wait_seconds)} of it waiting for data`],
      ["GPU memory", `${bytes(summary.peak_bytes)} at most`],
      ["A step", `${whole(summary.dispatches_per_step)} dispatches of ${summary.pipelines} pipelines`],
    ];
    section.replaceChildren(
      h("h2", { id: "result-title" }, "Result"),
      h("div", { class: "card" }, facts(known)),
    );
  };
}
