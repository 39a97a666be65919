/** @file Which modules may stand in for which of the sources, in a process of a command; `stand-ins-register.mjs` has them do so. */

/** @typedef {"small-unet" | "white-figures" | "plain-overlay"} StandIn */

/** @type {Record<StandIn, { ending: string, url: string }>} How the name of a module ends, and what is imported in its place. */
export const STAND_INS = {
  "small-unet": { ending: "/layers/unet.ts", url: new URL("./small-unet-module.ts", import.meta.url).href },
  "white-figures": { ending: "/render-svg.ts", url: new URL("./white-figures.ts", import.meta.url).href },
  "plain-overlay": { ending: "/overlay.ts", url: new URL("./plain-overlay.ts", import.meta.url).href },
};
