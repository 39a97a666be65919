// A network that learns to tell points of the plane apart, in the page.  npm run example:browser
import { Gpu } from "bespoke";
import { drawCurve, drawRegions } from "./drawing.ts";
import { createNetwork, GRID_PLACES } from "./network.ts";
import type { Network } from "./network.ts";
import { drawPoints } from "./points.ts";
import type { PointSet } from "./points.ts";

const STEPS = 600;
const STEPS_A_FRAME = 5;

const byId = <E extends HTMLElement>(id: string): E => document.getElementById(id) as E;
const say = (id: string, text: string): void => void (byId(id).textContent = text);
const [regions, curve] = [byId<HTMLCanvasElement>("regions"), byId<HTMLCanvasElement>("curve")];
const [pause, restart] = [byId<HTMLButtonElement>("pause"), byId<HTMLButtonElement>("restart")];
const choice = byId<HTMLSelectElement>("points");

let points = drawPoints("spirals", 1);
let probabilities: Float32Array = new Float32Array();
let losses: number[] = [];
let paused = false;
/** Another number for each beginning: the seed of the weights, and what tells a loop that it is over. */
let beginning = 0;

const nextFrame = (): Promise<unknown> => new Promise(requestAnimationFrame);

function draw(): void {
  if (probabilities.length > 0) drawRegions(regions, probabilities, points);
  drawCurve(curve, losses);
}

/** Some steps, all of which are submitted before the first has come back, then a look at every place. */
async function learn({ step, ask }: Network): Promise<() => void> {
  const start = performance.now();
  const feeds = { x: points.x, labels: points.labels };
  const results = await Promise.all(Array.from({ length: STEPS_A_FRAME }, () => step.run(feeds)));
  const milliseconds = (performance.now() - start) / STEPS_A_FRAME;
  const asked = await ask.run({ x: GRID_PLACES });
  return () => {
    probabilities = asked.probabilities;
    losses.push(...results.map(({ loss }) => loss[0]));
    const { loss, accuracy } = results[STEPS_A_FRAME - 1];
    say("step", String(losses.length));
    say("loss", loss[0].toFixed(4));
    say("accuracy", `${(100 * accuracy[0]).toFixed(0)} %`);
    say("time", `${milliseconds.toFixed(1)} ms`);
    draw();
  };
}

/** Learns and shows, frame by frame, until it is done or begun anew. */
async function run(gpu: Gpu): Promise<void> {
  const own = ++beginning;
  setPaused(false);
  const network = await createNetwork(gpu, own);
  try {
    if (own !== beginning) return;
    points = drawPoints(choice.value as PointSet, 1);
    losses = [];
    while (losses.length < STEPS) {
      const show = paused ? undefined : await learn(network);
      if (own !== beginning) return;
      show?.();
      await nextFrame();
    }
    setState("done", `${STEPS} steps, on the adapter “${gpu.adapterName}”.`);
  } finally {
    network.destroy();
  }
}

function setPaused(now: boolean): void {
  paused = now;
  pause.textContent = now ? "Continue" : "Pause";
  setState(now ? "paused" : "learning", now ? "Paused." : "Learning …");
}

function setState(state: "learning" | "paused" | "done" | "failed", status: string): void {
  document.body.dataset.state = state;
  pause.disabled = state === "done" || state === "failed";
  restart.disabled = state === "failed";
  say("status", status);
}

function fail(error: unknown): void {
  beginning++;
  setState("failed", error instanceof Error ? error.message : String(error));
}

async function main(): Promise<void> {
  const adapter = await navigator.gpu?.requestAdapter();
  if (!adapter)
    throw new Error(
      "This browser offers no WebGPU adapter: use Chrome or Edge from 113, Safari 26, or Firefox from 141.",
    );
  const gpu = await Gpu.create(adapter);
  pause.addEventListener("click", () => setPaused(!paused));
  const begin = (): void => void run(gpu).catch(fail);
  restart.addEventListener("click", begin);
  choice.addEventListener("change", begin);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  new ResizeObserver(draw).observe(document.body);
  await run(gpu);
}

main().catch(fail);
