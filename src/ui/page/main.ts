import "uplot/dist/uPlot.min.css";
import "./page.css";
import { applyMessage, emptyState } from "../run-state.ts";
import type { RunMessage, RunState } from "../run-state.ts";
import { connect } from "./connection.ts";
import type { Link } from "./connection.ts";
import { curves } from "./curves.ts";
import { part, setText } from "./dom.ts";
import { factCards, result } from "./fact-cards.ts";
import { fixed } from "./format.ts";
import { photos, predictions } from "./gallery.ts";
import { header } from "./header.ts";
import { memory } from "./memory.ts";
import { now } from "./now.ts";

let state: RunState = emptyState();
let link: Link = "open";

const drawHeader = header();
const panels = [now(), result(), curves(), predictions(), photos(), memory(), factCards()];

let drawing = false;
/** Draws once a frame, however many messages came. */
function draw(): void {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    drawHeader(state, link);
    for (const panel of panels) panel(state);
    document.body.dataset.ready = "";
  });
}

/** Says what is worth interrupting for: results of epochs and the end, no steps. */
function announce(message: RunMessage): void {
  if (message.type === "epoch") {
    const { epoch, valAccuracy, valLoss } = message.epoch;
    setText(
      part("announcer"),
      `Epoch ${epoch} done: validation accuracy ${fixed(valAccuracy)}, validation loss ${fixed(valLoss)}.`,
    );
  } else if (message.type === "end") {
    setText(
      part("announcer"),
      `Training has finished: validation accuracy ${fixed(message.summary.val_accuracy)}.`,
    );
  }
}

connect(
  (message) => {
    state = applyMessage(state, message);
    announce(message);
    draw();
  },
  (next) => {
    link = next;
    draw();
  },
);
draw();
