import type { ClothingClass } from "../class-names.ts";
import type { Random } from "../random.ts";
import type { Body } from "./body.ts";
import type { Outfit } from "./outfit.ts";
import type { Paint } from "./paint.ts";
import type { Shape } from "./shapes.ts";

/** A piece of one class; pieces lie over one another in the order in which they are listed. */
export interface Layer {
  label: ClothingClass;
  shape: Shape;
  paint: Paint;
}

/** What every part of a figure is drawn from. */
export interface Model {
  body: Body;
  outfit: Outfit;
  skin: Paint;
  hair: Paint;
  random: Random;
}
