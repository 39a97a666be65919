import "./demo.css";
import { part, setText } from "../page/dom.ts";
import { adapterText, openBrowserGpu } from "./adapter.ts";
import { fetchDescription, fetchWeights } from "./model-file.ts";
import { Network } from "./network.ts";
import { loadingBar } from "./loading-bar.ts";
import { showTrouble } from "./trouble-card.ts";
import { deviceLost, failed, TroubleError } from "./trouble.ts";
import { workbench } from "./workbench.ts";

const bar = loadingBar();
part("loading").append(bar.element);

const status = (text: string, kind: "working" | "ready" | "lost"): void => {
  setText(part("status"), text);
  part("status").dataset.status = kind;
  document.body.dataset.state = kind;
};
const say = (sentence: string): void => setText(part("announcer"), sentence);

let ended = false;
/** Ends the page's work with an explanation. */
function end(error: unknown): void {
  if (ended) return;
  ended = true;
  const known = error instanceof TroubleError;
  showTrouble(known ? error.trouble : failed(error instanceof Error ? error.message : String(error)));
  status("Not working", "lost");
}

async function begin(): Promise<void> {
  const gpu = await openBrowserGpu();
  void gpu.device.lost.then(({ reason, message }) => {
    end(new TroubleError(deviceLost(`${reason}: ${message}`)));
  });
  const model = await fetchDescription();
  const facts = [
    model.name,
    `${model.imageSize}×${model.imageSize} pixels`,
    `${model.classNames.length} classes`,
    adapterText(gpu),
  ];
  setText(part("about"), facts.join(" · "));
  const bench = workbench(model, adapterText(gpu), { say, status, end });

  bar.show("Loading the model", 0, model.weightBytes);
  part("loading").hidden = false;
  status("Loading the model", "working");
  const tensors = await fetchWeights(model, (done) => bar.show("Loading the model", done, model.weightBytes));
  status("Compiling the kernels", "working");
  bar.wait("Compiling the kernels; the first time may take a while");
  const network = await Network.create(gpu, model, tensors);
  part("loading").hidden = true;
  bench.use(network);
}

begin().catch(end);
