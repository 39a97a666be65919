/**
 * A flat shape in figure coordinates: y runs from 0 (top of the head) to 1 (soles), x from the body's middle line,
 * in the same unit.
 */
export interface Shape {
  /** Distance to the edge, roughly; positive inside. */
  depth(x: number, y: number): number;
  /** No point outside [left, right] × [top, bottom] is inside the shape. */
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** A point of a limb or an outline, with the radius or half width there. */
export interface Joint {
  x: number;
  y: number;
  r: number;
}

/** A rod with round ends that widens evenly from one joint's radius to the other's. */
export function capsule(a: Joint, b: Joint): Shape {
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const squared = dx * dx + dy * dy || 1e-12;
  return {
    depth: (x, y) => {
      const t = Math.min(Math.max(((x - a.x) * dx + (y - a.y) * dy) / squared, 0), 1);
      return a.r + (b.r - a.r) * t - length(x - a.x - t * dx, y - a.y - t * dy);
    },
    left: Math.min(a.x - a.r, b.x - b.r),
    right: Math.max(a.x + a.r, b.x + b.r),
    top: Math.min(a.y - a.r, b.y - b.r),
    bottom: Math.max(a.y + a.r, b.y + b.r),
  };
}

export function ellipse(x: number, y: number, rx: number, ry: number): Shape {
  const small = Math.min(rx, ry);
  return {
    depth: (px, py) => (1 - length((px - x) / rx, (py - y) / ry)) * small,
    left: x - rx,
    right: x + rx,
    top: y - ry,
    bottom: y + ry,
  };
}

export function rectangle(left: number, top: number, right: number, bottom: number): Shape {
  return {
    depth: (x, y) => Math.min(x - left, right - x, y - top, bottom - y),
    ...{ left, top, right, bottom },
  };
}

/** An upright outline: half width `r` about the middle line `x` at each height, interpolated between. */
export function outline(rows: readonly Joint[]): Shape {
  const [first, last] = [rows[0], rows[rows.length - 1]];
  return {
    depth: (x, y) => {
      if (y < first.y || y > last.y) return -1;
      let i = 1;
      while (rows[i].y < y) i++;
      const [a, b] = [rows[i - 1], rows[i]];
      const t = (y - a.y) / (b.y - a.y || 1e-12);
      return a.r + (b.r - a.r) * t - Math.abs(x - a.x - (b.x - a.x) * t);
    },
    left: Math.min(...rows.map((row) => row.x - row.r)),
    right: Math.max(...rows.map((row) => row.x + row.r)),
    top: first.y,
    bottom: last.y,
  };
}

export function union(...shapes: Shape[]): Shape {
  return {
    depth: (x, y) => {
      let depth = -1;
      for (const shape of shapes) if (mayHold(shape, x, y)) depth = Math.max(depth, shape.depth(x, y));
      return depth;
    },
    left: Math.min(...shapes.map((shape) => shape.left)),
    right: Math.max(...shapes.map((shape) => shape.right)),
    top: Math.min(...shapes.map((shape) => shape.top)),
    bottom: Math.max(...shapes.map((shape) => shape.bottom)),
  };
}

/** Whether the point lies in the shape's bounds. */
export function mayHold(shape: Shape, x: number, y: number): boolean {
  return x >= shape.left && x <= shape.right && y >= shape.top && y <= shape.bottom;
}

/** The part of `shape` outside `hole`. */
export function without(shape: Shape, hole: Shape): Shape {
  return { ...shape, depth: (x, y) => Math.min(shape.depth(x, y), -hole.depth(x, y)) };
}

/** The part of `shape` inside `frame`. */
export function within(shape: Shape, frame: Shape): Shape {
  return { ...shape, depth: (x, y) => Math.min(shape.depth(x, y), frame.depth(x, y)) };
}

/**
 * The stretch of a chain of joints from one fraction of its segments to another, `pad` thicker: the upper half of
 * an arm is a short sleeve, the whole of it a long one.
 */
export function limb(joints: readonly Joint[], from: number, to: number, pad = 0): Shape {
  const segments = joints.length - 1;
  const at = (fraction: number): Joint => {
    const i = Math.min(Math.floor(fraction * segments), segments - 1);
    const t = fraction * segments - i;
    const [a, b] = [joints[i], joints[i + 1]];
    return { x: a.x + (b.x - a.x) * t, y: a.y + (b.y - a.y) * t, r: a.r + (b.r - a.r) * t + pad };
  };
  const between = joints.map((_, i) => i / segments).filter((f) => f > from && f < to);
  const points = [from, ...between, to].map(at);
  return union(...points.slice(1).map((point, i) => capsule(points[i], point)));
}

/** Math.hypot guards against overflow, which is several times slower. */
export function length(x: number, y: number): number {
  return Math.sqrt(x * x + y * y);
}
