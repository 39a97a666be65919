/**
 * @file The loop over the turns of a tap product's sum in register tiles: a turn is a lane of channels, and what belongs to its
 * channels alone (the constants of a batch norm) is loaded once by one of the lanes, which shuffle it to each other.
 */
import type { Load } from "./load.ts";
import { range } from "./register-tile.ts";
import type { RegisterTile } from "./register-tile.ts";

const turnLoop = (begin: string, end: string, text: string): string => `
      for (var turn = ${begin}; turn < ${end}; turn++) {
        ${text}
      }`;

/** Each tensor that is loaded, with the turns of the sum that are its own. */
function partsOf(load: Load): { part: Load; begin: string; end: string; lane: string }[] {
  if (load.parts === undefined) return [{ part: load, begin: "0u", end: "params.turns", lane: "turn" }];
  let before = "0u";
  return load.parts.map(({ load: part, lanes }) => {
    const begin = before;
    before = `(${begin} + ${lanes})`;
    return { part, begin, end: before, lane: `(turn - ${begin})` };
  });
}

/**
 * A loop over blocks of turns, as many as there are lanes. Each lane loads what belongs to the channels of a turn of its own; `text` is
 * for the block from `block` to `blockEnd`, and {@link shuffled} declares them for a turn.
 */
const eachBlock = ({ lanes, subgroups }: RegisterTile, { constants }: Load, text: string): string => `
      for (var block = 0u; block < params.turns; block += ${lanes}u) {
        let blockEnd = min(block + ${lanes}u, params.turns);
        ${
          constants && subgroups
            ? `let ownTurn = min(block + lane, params.turns - 1u);
        for (var constant = 0u; constant < params.constants; constant++) {
          constants[constant] = ${constants.value("constant", "ownTurn")};
        }`
            : ""
        }
        ${text}
      }`;

/** Declares what belongs to a turn's channels. */
const shuffled = ({ subgroups }: RegisterTile, load: Load): string =>
  subgroups
    ? (load.constants?.names ?? [])
        .map((name, i) => `let ${name} = subgroupShuffle(constants[${i}], turn - block);`)
        .join(" ")
    : load.channel("turn");

/** WGSL of all turns, each of them loading and multiplying. */
export function directTurns(
  tile: RegisterTile,
  load: Load,
  text: (part: Load, lane: string) => string,
): string {
  if (load.constants && tile.subgroups)
    return eachBlock(
      tile,
      load,
      turnLoop("block", "blockEnd", `${shuffled(tile, load)} ${text(load, "turn")}`),
    );
  return partsOf(load)
    .map(({ part, begin, end, lane }) => turnLoop(begin, end, `${shuffled(tile, part)} ${text(part, lane)}`))
    .join("");
}

/**
 * WGSL of all turns, in blocks: first the lanes load what they need of the left operand for the whole block, then each vec4 of columns has a
 * loop of its own.
 */
export const stagedTurns = (
  tile: RegisterTile,
  load: Load,
  { stage, multiply }: { stage: (part: Load, lane: string) => string; multiply: (v: number) => string },
): string =>
  eachBlock(
    tile,
    load,
    [
      ...partsOf(load).map(({ part, begin, end, lane }) =>
        turnLoop(
          `max(block, ${begin})`,
          `min(blockEnd, ${end})`,
          `${shuffled(tile, load)} ${stage(part, lane)}`,
        ),
      ),
      ...range(tile.vectors).map((v) => turnLoop("block", "blockEnd", multiply(v))),
    ].join(""),
  );
