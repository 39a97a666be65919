// `node --import=<this file>?small-unet&white-figures` has those stand in that are named; see stand-ins.mjs.
import { register } from "node:module";
import { STAND_INS } from "./stand-ins.mjs";

const data = [...new URL(import.meta.url).searchParams.keys()].map((name) => STAND_INS[name]);
register("./stand-in-hooks.mjs", import.meta.url, { data });
