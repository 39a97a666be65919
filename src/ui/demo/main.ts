import "./demo.css";
import { sizeText } from "../../image-size.ts";
import { part, setText } from "../page/dom.ts";
import { adapterText, openBrowserGpu } from "./adapter.ts";
import { fetchDescription, fetchWeights } from "./model-file.ts";
import { Network } from "./network.ts";
import { loadingBar } from "./loading-bar.ts";
import { firstPrecision } from "./precision-choice.ts";
import { showTrouble } from "./trouble-card.ts";
import { deviceLost, failed, TroubleError } from "./trouble.ts";
import type { Trouble } from "./trouble.ts";
import { workbench } from "./workbench.ts";

const bar = loadingBar();
part("loading").append(bar.element);

let ended = false;
const status = (text: string, kind: "working" | "ready" | "lost"): void => {
  if (ended && kind !== "lost") return;
  setText(part("status"), text);
  part("status").dataset.status = kind;
  document.body.dataset.state = kind;
};
/** A screen reader takes no notice of a text that is set again: a repeated sentence gets a space at its end. */
const say = (sentence: string): void => {
  const announcer = part("announcer");
  setText(announcer, announcer.textContent === sentence ? `${sentence}\u00a0` : sentence);
};

/** Resolves with what is said of the device's loss. */
let deviceLoss = new Promise<Trouble>(() => undefined);
/** Milliseconds in which the loss of the device is told after the first call that failed by it. */
const LOSS_WAIT = 500;

/** Ends the page's work with an explanation: of a lost device that, and not which call failed by it. */
async function end(error: unknown): Promise<void> {
  const waited = new Promise<null>((resolve) => setTimeout(resolve, LOSS_WAIT, null));
  const trouble =
    error instanceof TroubleError
      ? error.trouble
      : ((await Promise.race([deviceLoss, waited])) ??
        failed(error instanceof Error ? error.message : String(error)));
  if (ended) return;
  ended = true;
  showTrouble(trouble);
  status("Not working", "lost");
}

async function begin(): Promise<void> {
  const gpu = await openBrowserGpu();
  deviceLoss = gpu.device.lost.then(({ reason, message }) => deviceLost(`${reason}: ${message}`));
  void deviceLoss.then((trouble) => end(new TroubleError(trouble)));
  const model = await fetchDescription();
  const facts = [
    model.name,
    `${sizeText(model.imageSize)} pixels`,
    `${model.classNames.length} classes`,
    adapterText(gpu),
  ];
  setText(part("about"), facts.join(" · "));
  const hasHalf = gpu.features.has("shader-f16");
  const bench = workbench(
    { model, adapter: adapterText(gpu), hasHalf },
    { say, status, end: (error) => void end(error) },
  );

  bar.show("Loading the model", 0, model.weightBytes);
  part("loading").hidden = false;
  status("Loading the model", "working");
  const tensors = await fetchWeights(model, (done) => bar.show("Loading the model", done, model.weightBytes));
  status("Compiling the kernels", "working");
  bar.wait("Compiling the kernels; the first time may take a while");
  const network = await Network.create(
    gpu,
    model,
    tensors,
    firstPrecision(model.precision, hasHalf).precision,
  );
  part("loading").hidden = true;
  bench.use(network);
}

begin().catch((error: unknown) => void end(error));
