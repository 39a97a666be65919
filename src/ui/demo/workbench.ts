import { resizeNearest } from "../../data/resize.ts";
import { backgroundOf } from "../../masks/background.ts";
import { classShares } from "../../masks/class-shares.ts";
import type { ClassShare } from "../../masks/class-shares.ts";
import type { Size } from "../../data/resize.ts";
import { maskFromLogits } from "../../masks/mask-from-logits.ts";
import type { Precision } from "../../config/precision.ts";
import { h, part } from "../page/dom.ts";
import { correction } from "./correction.ts";
import { download } from "./download.ts";
import { greyPng } from "./grey-png.ts";
import { lessonsOf } from "./lessons.ts";
import type { Seen } from "./lessons.ts";
import type { ModelDescription } from "./model-description.ts";
import type { Labelling, Network } from "./network.ts";
import { overlayPicture } from "./overlay-picture.ts";
import type { PagePhoto } from "./photo.ts";
import { photoCard } from "./photo-card.ts";
import { firstPrecision, precisionChoice } from "./precision-choice.ts";
import { resultCard } from "./result-card.ts";
import { shareText } from "./share-text.ts";
import { tint } from "./tint.ts";
import { viewChoice } from "./view-choice.ts";

export interface WorkbenchEvents {
  /** Has a sentence read out. */
  readonly say: (sentence: string) => void;
  readonly status: (text: string, kind: "working" | "ready") => void;
  /** Told of what the work cannot go on after. */
  readonly end: (error: unknown) => void;
}

/** What there is to work with before the weights have come. */
export interface WorkbenchSetup {
  readonly model: ModelDescription;
  /** What it is called. */
  readonly adapter: string;
  /** Whether the adapter has half-precision numbers. */
  readonly hasHalf: boolean;
}

/** A photo under its labels. */
interface Labelled extends Seen {
  /** At the photo's own size, where it was seen in windows. */
  readonly own: Uint8Array<ArrayBuffer> | null;
  /** At the size of the picture on the page. */
  readonly mask: Uint8Array<ArrayBuffer>;
  readonly shares: readonly ClassShare[];
}

/** The page's work: photos in, labels out, corrections learned. Photos may come before the network is there. */
export function workbench(
  { model, adapter, hasHalf }: WorkbenchSetup,
  { say, status, end }: WorkbenchEvents,
): { use(network: Network): void } {
  const { classNames } = model;
  let network: Network | null = null;
  let waiting: PagePhoto | null = null;
  let current: Labelled | null = null;
  let highlight: number | null = null;
  let busy = false;
  /** After a failure: nothing more is done. */
  let over = false;
  let learning = false;
  let stopped = false;
  let learned = false;
  let losses: number[] = [];
  /** Whether the next run is the first one of what was compiled last. */
  let fresh = true;

  const background = backgroundOf(classNames);
  const card = photoCard(background, {
    onPhoto: (photo) => void bring(photo),
    onDown: (at) => panel.down(at),
    onMove: (from, to) => panel.move(from, to),
    onKey: (key, at) => panel.key(key, at),
    classAt: (at) => (current ? panel.classAt(at) : null),
  });
  const { stage } = card;
  const panel = correction({
    onLearn: (steps, rate) => void guarded(() => learn(steps, rate)),
    onStop: () => (stopped = true),
    onReset: () => void guarded(reset),
    onSay: say,
  });
  const result = resultCard({
    onHighlight(label) {
      highlight = label;
      stage.showLabels(current?.mask ?? null, highlight);
    },
    onMask: () => void guarded(() => saving(saveMask)),
    onOverlay: () => void guarded(() => saving(saveOverlay)),
  });
  const precision = precisionChoice(firstPrecision(model.precision, hasHalf), hasHalf, (chosen) => {
    void guarded(() => setPrecision(chosen));
  });
  const view = viewChoice(() => void guarded(labelAgain));
  part("result").append(
    h("h2", { id: "result-title" }, "What it sees"),
    result.element,
    view.element,
    precision.element,
  );
  part("correct").append(h("h2", { id: "correct-title" }, "Correct it, and it learns"), panel.element);
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z" || event.shiftKey) return;
    if (event.target instanceof HTMLInputElement && event.target.type === "number") return;
    event.preventDefault();
    panel.undo();
  });

  /** Runs one piece of work at a time, and ends the page where it fails. */
  async function guarded(work: () => Promise<void>): Promise<void> {
    if (busy || over) return;
    busy = true;
    stopped = false;
    refresh();
    try {
      await work();
    } catch (error) {
      over = true;
      end(error);
      return;
    } finally {
      busy = false;
      refresh();
    }
    const next = waiting;
    waiting = null;
    if (next) await bring(next);
  }

  function refresh(): void {
    panel.show({ ready: current !== null, busy, learning, learned, losses });
    result.setReady(current !== null && !busy);
    const idle = network !== null && !busy && !over;
    for (const control of [view, precision]) control.setReady(idle);
    if (idle) status("Ready", "ready");
  }

  async function bring(photo: PagePhoto): Promise<void> {
    if (over) return;
    card.clear();
    // Of photos that come while there is something else to do the last one is taken.
    if (!network || busy) {
      waiting = photo;
      view.cancel();
      if (!busy) show(photo);
      return;
    }
    await guarded(async () => {
      show(photo);
      await label(photo);
    });
  }

  function show(photo: PagePhoto): void {
    current = null;
    highlight = null;
    card.show(photo);
    panel.begin(stage, classNames);
    losses = [];
    result.show(null);
    refresh();
  }

  async function label(photo: PagePhoto): Promise<void> {
    status("Labelling", "working");
    const labelling = await network!.label(photo);
    const seen = { photo, labelling };
    present("Labelled", { ...seen, own: null, mask: maskAt(labelling, stage.size) });
    if (!view.windows) return;
    status("Labelling in windows", "working");
    const own = await view.follow((under) => network!.labelInWindows(photo, under));
    if (own) present("Labelled in windows", { ...seen, own, mask: resizeNearest(own, photo, stage.size) });
    else say("The windows were cancelled: these are the labels of the photo seen whole.");
  }

  function present(done: string, found: Omit<Labelled, "shares">): void {
    const { mask, labelling } = found;
    const shares = classShares(mask, classNames);
    current = { ...found, shares };
    panel.setLabels(mask);
    stage.showLabels(mask, highlight);
    result.show({
      shares,
      adapter,
      milliseconds: labelling.milliseconds,
      compileMilliseconds: network!.compileMilliseconds,
      first: fresh,
    });
    fresh = false;
    const largest = shares.slice(0, 4).map(({ name, share }) => `${name} ${shareText(share)}`);
    say(`${done}: ${largest.join(", ")}.`);
  }

  async function labelAgain(): Promise<void> {
    if (current) await label(current.photo);
  }

  /** What the network says of a photo's pixels, at a size. */
  const maskAt = (labelling: Labelling, size: Size): Uint8Array<ArrayBuffer> =>
    maskFromLogits(labelling.scores, labelling, classNames.length, size);

  async function learn(steps: number, learningRate: number): Promise<void> {
    const seen = current!;
    const lessons = lessonsOf(seen, panel.painting, model);
    if (lessons.length === 0) return;
    learning = true;
    try {
      status("Compiling the kernels of training", "working");
      refresh();
      await network!.prepareFineTuning();
      learned = true;
      for (let step = 1; step <= steps && !stopped; step++) {
        status(`Learning, step ${step} of ${steps}`, "working");
        let loss = 0;
        for (const lesson of lessons) loss += await network!.fineTune(lesson, learningRate);
        losses = [...losses, loss / lessons.length];
        refresh();
      }
    } finally {
      learning = false;
      refresh();
    }
    await label(seen.photo);
    const last = losses.at(-1);
    if (last !== undefined)
      say(`Learned: the loss is ${last.toPrecision(3)}. ${part("announcer").textContent}`);
  }

  async function setPrecision(chosen: Precision): Promise<void> {
    status(`Compiling the kernels in ${chosen}`, "working");
    await network!.setPrecision(chosen);
    fresh = true;
    await labelAgain();
    say(`Precision: ${chosen}. ${current ? part("announcer").textContent : ""}`);
  }

  async function reset(): Promise<void> {
    network!.reset();
    learned = false;
    losses = [];
    await labelAgain();
    say("The network is what it was when it was loaded.");
  }

  /** What was learned outlives a picture that cannot be saved. */
  async function saving(save: () => Promise<void>): Promise<void> {
    try {
      await save();
    } catch (error) {
      card.complain(`It could not be saved (${(error as Error).message}): try again, or a smaller photo.`);
    }
  }

  async function saveMask(): Promise<void> {
    if (!current) return;
    const { photo, own, labelling } = current;
    const mask = own ?? maskAt(labelling, photo);
    download(await greyPng(mask, photo.width, photo.height), `${photo.name}.mask.png`);
    say("The mask was saved.");
  }

  async function saveOverlay(): Promise<void> {
    if (!current) return;
    const { width, height } = stage.size;
    const rgba = tint({ labels: current.mask, width, height, highlight: null, background });
    const png = await overlayPicture({
      photo: stage.photoCanvas,
      labels: new ImageData(rgba, width, height),
      opacity: card.opacity,
      shares: current.shares,
    });
    download(png, `${current.photo.name}.overlay.png`);
    say("The picture was saved.");
  }

  return {
    use(ready) {
      network = ready;
      refresh();
      const first = waiting;
      waiting = null;
      if (first) void bring(first);
      else say("The model is ready: choose a photo.");
    },
  };
}
