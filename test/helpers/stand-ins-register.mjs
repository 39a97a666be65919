// `node --import=<this file>?small-unet&white-figures` has those stand in that are named; see stand-ins.mjs.
import { register } from "node:module";
import { STAND_INS } from "./stand-ins.mjs";

const asked = new URL(import.meta.url).searchParams;
const data = Object.entries(STAND_INS).flatMap(([name, standIn]) => (asked.has(name) ? [standIn] : []));
register("./stand-in-hooks.mjs", import.meta.url, { data });
