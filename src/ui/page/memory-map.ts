import { liveBytes } from "../../graph/memory-plan.ts";
import type { MemoryPlan, MemoryTenant } from "../../graph/memory-plan.ts";
import { colour, h, onResize, setText } from "./dom.ts";
import { bytes } from "./format.ts";
import { FAMILY_NAMES, familyOf } from "./op-families.ts";

/** Where a tenant is found: the block's number and its own within the block. */
interface Place {
  readonly block: number;
  readonly index: number;
}

/** CSS pixels: the strip of living bytes, the space below it, the arena, the axis. */
const STRIP = 64;
const GAP = 14;
const ARENA = 320;
const AXIS = 26;

export interface MemoryMap {
  readonly element: HTMLElement;
  show(plan: MemoryPlan): void;
}

/**
 * The arena over one step: time (dispatches) goes right, blocks lie below one another, each as high as it is large, and
 * each tenant is a bar for as long as it lives. Above it, the bytes that live at each dispatch. Arrow keys walk from
 * tenant to tenant.
 */
export function memoryMap(): MemoryMap {
  let plan: MemoryPlan | null = null;
  let live: number[] = [];
  let tops: number[] = [];
  let chosen: Place | null = null;

  const canvas = h("canvas", { "aria-hidden": "true" });
  const stage = h(
    "div",
    {
      class: "map",
      role: "slider",
      tabindex: 0,
      "aria-label":
        "Tensors in the arena; left and right walk through a block's, up and down through the blocks",
    },
    canvas,
  );
  const about = h("p", { class: "about" });
  const element = h("div", {}, stage, about);

  function show(next: MemoryPlan): void {
    plan = next;
    live = liveBytes(
      next.blocks.flatMap(({ tenants }) => tenants),
      next.dispatches,
    );
    let top = 0;
    tops = next.blocks.map((block) => (top += block.bytes) - block.bytes);
    chosen = null;
    draw();
    describe();
  }

  const tenantAt = (place: Place | null): MemoryTenant | null =>
    (place && plan?.blocks[place.block]?.tenants[place.index]) ?? null;

  const x = (dispatch: number): number => (dispatch / plan!.dispatches) * stage.clientWidth;
  const y = (byte: number): number => STRIP + GAP + (byte / plan!.arenaBytes) * ARENA;

  /** The bar of a tenant: its life to the right, its own bytes of the block's height. */
  function bar(block: number, { first, last, bytes: size }: MemoryTenant): [number, number, number, number] {
    const [left, top] = [x(first), y(tops[block])];
    const height = y(tops[block] + size) - top;
    return [left, top, Math.max(0.75, x(Math.min(last + 1, plan!.dispatches)) - left), height];
  }

  function draw(): void {
    const width = stage.clientWidth;
    if (!plan || width < 40) return;
    const height = STRIP + GAP + ARENA + AXIS;
    canvas.width = Math.round(width * devicePixelRatio);
    canvas.height = Math.round(height * devicePixelRatio);
    canvas.style.inlineSize = `${width}px`;
    canvas.style.blockSize = `${height}px`;
    const ctx = canvas.getContext("2d")!;
    ctx.scale(devicePixelRatio, devicePixelRatio);
    ctx.font = "12px Inter, system-ui, sans-serif";
    drawLive(ctx, width);
    ctx.fillStyle = colour("arena");
    ctx.fillRect(0, y(0), width, ARENA);
    const colours = FAMILY_NAMES.map((_, i) => colour(`family-${i}`));
    plan.blocks.forEach(({ tenants }, block) => {
      for (const tenant of tenants) {
        const [left, top, wide, high] = bar(block, tenant);
        ctx.fillStyle = colours[familyOf(tenant)];
        // A hair between neighbours, where there is room for one.
        ctx.fillRect(left, top, wide > 3 ? wide - 0.75 : wide, high > 3 ? high - 0.75 : high);
        if (wide < 64 || high < 15) continue;
        ctx.fillStyle = colour("on-family");
        ctx.textBaseline = "middle";
        const text = fit(ctx, tenant.name, wide - 12);
        if (text !== "") ctx.fillText(text, left + 6, top + Math.min(high / 2, 14));
      }
    });
    drawAxis(ctx, width);
    const tenant = tenantAt(chosen);
    if (!tenant) return;
    const [left, top, wide, high] = bar(chosen!.block, tenant);
    ctx.strokeStyle = colour("card");
    ctx.lineWidth = 5;
    ctx.strokeRect(left - 1, top - 1, wide + 2, high + 2);
    ctx.strokeStyle = colour("ink");
    ctx.lineWidth = 2;
    ctx.strokeRect(left - 1, top - 1, wide + 2, high + 2);
  }

  function drawLive(ctx: CanvasRenderingContext2D, width: number): void {
    const top = (value: number): number => STRIP - (value / plan!.arenaBytes) * (STRIP - 18);
    ctx.beginPath();
    ctx.moveTo(0, STRIP);
    live.forEach((value, i) => {
      ctx.lineTo(x(i), top(value));
      ctx.lineTo(x(i + 1), top(value));
    });
    ctx.lineTo(width, STRIP);
    ctx.fillStyle = colour("live");
    ctx.fill();
    ctx.fillStyle = ctx.strokeStyle = colour("muted");
    ctx.setLineDash([1, 3]);
    ctx.beginPath();
    ctx.moveTo(0, top(plan!.arenaBytes) + 0.5);
    ctx.lineTo(width, top(plan!.arenaBytes) + 0.5);
    ctx.stroke();
    ctx.setLineDash([]);
    ctx.textBaseline = "bottom";
    ctx.textAlign = "left";
    ctx.fillText(
      fit(ctx, `alive: at most ${bytes(plan!.liveBytes)} of ${bytes(plan!.arenaBytes)}`, width),
      0,
      15,
    );
  }

  function drawAxis(ctx: CanvasRenderingContext2D, width: number): void {
    const { dispatches } = plan!;
    const step =
      [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000].find((s) => (s / dispatches) * width > 80) ?? 5000;
    ctx.fillStyle = colour("muted");
    ctx.textBaseline = "top";
    for (let dispatch = 0; dispatch <= dispatches; dispatch += step) {
      const at = x(dispatch);
      ctx.textAlign = dispatch === 0 ? "left" : at > width - 30 ? "right" : "center";
      ctx.fillText(dispatch === 0 ? "dispatch 0" : String(dispatch), at, STRIP + GAP + ARENA + 8);
    }
    ctx.textAlign = "left";
  }

  function describe(): void {
    if (!plan) return;
    const tenant = tenantAt(chosen);
    const all = plan.blocks.reduce((sum, { tenants }) => sum + tenants.length, 0);
    stage.setAttribute("aria-valuemin", "0");
    stage.setAttribute("aria-valuemax", String(Math.max(0, all - 1)));
    if (!tenant || !chosen) {
      setText(about, "Point at a bar, or walk there with the arrow keys, to see which tensor it is.");
      stage.setAttribute("aria-valuenow", "0");
      stage.setAttribute("aria-valuetext", "No tensor chosen");
      return;
    }
    const before = plan.blocks.slice(0, chosen.block).reduce((sum, { tenants }) => sum + tenants.length, 0);
    const until = tenant.last >= plan.dispatches ? "kept to be read" : `to ${tenant.last}`;
    const words =
      `${tenant.name} (${tenant.op}${tenant.backward ? ", backward pass" : ""}), ${bytes(tenant.bytes)} in block ${chosen.block + 1} of ` +
      `${bytes(plan.blocks[chosen.block].bytes)}, dispatch ${tenant.first} ${until}`;
    setText(about, words);
    stage.setAttribute("aria-valuenow", String(before + chosen.index));
    stage.setAttribute("aria-valuetext", words);
  }

  function choose(place: Place | null): void {
    if (place?.block === chosen?.block && place?.index === chosen?.index) return;
    chosen = place;
    draw();
    describe();
  }

  /** The tenant of `block` that lives at `dispatch`, or else the nearest one. */
  function nearest(block: number, dispatch: number): Place {
    const away = ({ first, last }: MemoryTenant): number =>
      dispatch < first ? first - dispatch : Math.max(0, dispatch - last - 1);
    const { tenants } = plan!.blocks[block];
    const index = tenants.reduce((best, tenant, i) => (away(tenant) < away(tenants[best]) ? i : best), 0);
    return { block, index };
  }

  stage.addEventListener("pointermove", (event) => {
    if (!plan || plan.arenaBytes === 0) return;
    const box = stage.getBoundingClientRect();
    const dispatch = ((event.clientX - box.left) / box.width) * plan.dispatches;
    const byte = ((event.clientY - box.top - STRIP - GAP) / ARENA) * plan.arenaBytes;
    const block = tops.findLastIndex((top) => top <= byte);
    choose(block < 0 || byte > plan.arenaBytes ? null : nearest(block, dispatch));
  });
  stage.addEventListener("pointerleave", () => choose(null));
  stage.addEventListener("keydown", (event) => {
    if (!plan || plan.blocks.length === 0) return;
    const at: Place = chosen ?? { block: 0, index: -1 };
    const { tenants } = plan.blocks[at.block];
    const middle = ((tenants[at.index]?.first ?? 0) + (tenants[at.index]?.last ?? 0)) / 2;
    const walk = (index: number): Place => ({
      block: at.block,
      index: Math.min(tenants.length - 1, Math.max(0, index)),
    });
    const jump = (block: number): Place =>
      nearest(Math.min(plan!.blocks.length - 1, Math.max(0, block)), middle);
    const moves: Record<string, () => Place | null> = {
      ArrowLeft: () => walk(at.index - 1),
      ArrowRight: () => walk(at.index + 1),
      ArrowUp: () => jump(at.block - 1),
      ArrowDown: () => jump(at.block + (chosen ? 1 : 0)),
      PageUp: () => jump(at.block - 10),
      PageDown: () => jump(at.block + 10),
      Home: () => walk(0),
      End: () => walk(tenants.length - 1),
      Escape: () => null,
    };
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    choose(move());
  });
  onResize(stage, draw);
  return { element, show };
}

/** As much of `text` as fits, and nothing when that is too little to read. */
function fit(ctx: CanvasRenderingContext2D, text: string, width: number): string {
  if (ctx.measureText(text).width <= width) return text;
  let length = text.length;
  while (length > 0 && ctx.measureText(`${text.slice(0, length)}…`).width > width) length--;
  return length < 6 ? "" : `${text.slice(0, length)}…`;
}
