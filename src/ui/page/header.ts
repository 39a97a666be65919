import { phaseName } from "../../runs/phase.ts";
import type { RunState } from "../run-state.ts";
import type { Link } from "./connection.ts";
import { h, part, setText } from "./dom.ts";
import { duration, whole } from "./format.ts";

const WORDS = {
  waiting: "Waiting for the first step",
  training: "Training",
  stopped: "Stopped",
  finished: "Finished",
  lost: "Connection lost, trying again",
} as const;

/** Name, status and progress. */
export function header(): (state: RunState, link: Link) => void {
  const name = h("h1", {}, "bespoke");
  const about = h("p", { class: "muted" });
  const status = h("p", { class: "status" });
  const bar = h("div", { class: "bar" }, h("span", {}));
  const mark = h("i", { hidden: true });
  bar.append(mark);
  for (const [key, value] of [
    ["role", "progressbar"],
    ["aria-label", "Progress of the run"],
    ["aria-valuemin", "0"],
    ["aria-valuemax", "100"],
  ]) {
    bar.setAttribute(key, value);
  }
  const where = h("p", { class: "where" });
  const left = h("p", { class: "muted" });
  part("header").append(
    h("div", { class: "title" }, h("div", {}, name, about), status),
    bar,
    h("div", { class: "under" }, where, left),
  );

  return (state, link) => {
    const { run, pace } = state;
    const shown = link === "lost" ? "lost" : state.status;
    status.dataset.status = shown;
    setText(status, WORDS[shown]);
    setText(name, run?.name ?? "bespoke");
    setText(about, run ? aboutRun(run) : "");
    document.title = run ? `${WORDS[shown]}: ${run.name}` : "bespoke";

    const share = shareDone(state);
    bar.querySelector("span")!.style.inlineSize = `${100 * share}%`;
    bar.setAttribute("aria-valuenow", String(Math.round(100 * share)));
    bar.setAttribute("aria-valuetext", position(state));
    const from = run?.fineTuningFrom ?? null;
    mark.hidden = from === null || !run;
    if (from !== null && run) mark.style.insetInlineStart = `${(100 * (from - 1)) / run.epochs}%`;
    setText(where, position(state));
    const trains = state.status === "training" && pace.secondsLeft !== null;
    const again = link === "closed" ? "No longer served: the program ui shows the run again." : "";
    setText(left, trains ? `about ${duration(pace.secondsLeft)} left` : again);
  };
}

function aboutRun(run: NonNullable<RunState["run"]>): string {
  const { adapter, trainingPhotos, validationPhotos } = run;
  const training = trainingPhotos === null ? "" : `${whole(trainingPhotos)} photos to train on, `;
  const validation = validationPhotos === null ? "" : `${whole(validationPhotos)} to validate on`;
  const photos = training === "" ? validation.replace(" ", " photos ") : training + validation;
  return [adapter, photos].filter(Boolean).join(" · ");
}

/** The share of all steps that is done. */
function shareDone({ run, latest, epochs, status }: RunState): number {
  if (status === "finished") return 1;
  if (!run || run.epochs === 0) return 0;
  const whole = epochs.at(-1)?.epoch ?? 0;
  const steps =
    latest && run.stepsPerEpoch && latest.epoch > whole
      ? latest.epoch - 1 + latest.step / run.stepsPerEpoch
      : whole;
  return Math.min(1, steps / run.epochs);
}

function position({ run, latest, epochs, status }: RunState): string {
  if (!run) return "No run has begun";
  const of = `of ${run.epochs}`;
  const row = epochs.at(-1);
  if (status === "finished") return `${run.epochs} epochs`;
  if (latest && latest.epoch > (row?.epoch ?? 0)) {
    const steps = run.stepsPerEpoch === null ? "" : ` of ${run.stepsPerEpoch}`;
    return `Epoch ${latest.epoch} ${of} (${phaseName(latest.phase, run.freeze)}), step ${latest.step}${steps}`;
  }
  return row
    ? `Epoch ${row.epoch} ${of} done (${phaseName(row.phase, run.freeze)})`
    : `${run.epochs} epochs to go`;
}
