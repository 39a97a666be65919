/** Why the page cannot work here, for whoever looks at it. */
export interface Trouble {
  readonly title: string;
  readonly what: string;
  /** What to try, the likeliest first. */
  readonly advice: readonly string[];
  /** What a machine said of it. */
  readonly details?: string;
}

/** Anything that ends the page's work and can be explained. */
export class TroubleError extends Error {
  override readonly name = "TroubleError";
  readonly trouble: Trouble;

  constructor(trouble: Trouble, options?: ErrorOptions) {
    super(trouble.title, options);
    this.trouble = trouble;
  }
}

const DRIVER =
  "Switch hardware acceleration on in the browser's settings, and bring the graphics driver up to date.";
const LINUX = "On Linux, Chrome may need to be started with --enable-unsafe-webgpu --enable-features=Vulkan.";

export const NO_WEBGPU: Trouble = {
  title: "This browser has no WebGPU",
  what: "The network runs on the graphics card through WebGPU, and this browser does not offer it.",
  advice: [
    "Open this page in Chrome or Edge (113 or newer), Safari 26, or Firefox 141 on Windows and 145 on a Mac.",
    "Use the address that the terminal shows: WebGPU needs https, localhost or 127.0.0.1.",
    LINUX,
  ],
};

export const NO_ADAPTER: Trouble = {
  title: "This browser finds no graphics adapter",
  what: "The browser knows WebGPU and has nothing to run it on: no graphics card, or one that it does not trust.",
  advice: [
    DRIVER,
    "See what chrome://gpu says of WebGPU.",
    LINUX,
    "Without a graphics card, Chrome can use the processor: start it with --enable-unsafe-webgpu --use-webgpu-adapter=swiftshader.",
  ],
};

export const noDevice = (details: string): Trouble => ({
  title: "The graphics adapter cannot be used",
  what: "There is an adapter, but it gave no device.",
  advice: ["Close other pages that use the graphics card, then load this page again.", DRIVER],
  details,
});

export const deviceLost = (details: string): Trouble => ({
  title: "The graphics card was lost",
  what: "The browser took it away in the middle of the work, as it does when the driver is restarted or the machine wakes up.",
  advice: [
    "Load this page again; the photo has to be chosen anew and what was learned here is gone.",
    "If it happens again, close other pages that use the graphics card or start the server with a smaller --image-size.",
  ],
  details,
});

export const noModel = (details: string): Trouble => ({
  title: "The model could not be loaded",
  what: "The server that this page came from did not hand it out.",
  advice: ["See in the terminal whether the program demo is still running, then load this page again."],
  details,
});

export const failed = (details: string): Trouble => ({
  title: "The network could not be run",
  what: "The graphics card refused the work.",
  advice: [
    "If memory is short, start the server with a smaller --image-size, or close other pages that use the graphics card.",
    DRIVER,
  ],
  details,
});
