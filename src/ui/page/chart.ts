import uPlot from "uplot";
import { colour, h, onResize, setText } from "./dom.ts";
import { fixed } from "./format.ts";

/** Numbers over epochs; a step lies at its share of the epoch, an epoch's results at its end. */
export interface ChartData {
  readonly steps: { readonly at: readonly number[]; readonly values: readonly number[] };
  readonly epochs: readonly {
    readonly epoch: number;
    readonly training: number;
    readonly validation: number;
  }[];
  /** Where fine-tuning begins. */
  readonly mark: number | null;
  /** A level to beat. */
  readonly level: { readonly value: number; readonly label: string } | null;
}

export interface ChartOptions {
  readonly title: string;
  /** Whether values lie in [0, 1] and high ones are good; otherwise the axis begins at 0. */
  readonly share: boolean;
  /** Asks for another epoch to be shown in all charts. */
  readonly onSelect: (epoch: number | null) => void;
}

export interface Chart {
  readonly element: HTMLElement;
  show(data: ChartData, selected: number | null): void;
}

const HEIGHT = 264;

/** Steps, training and validation on one canvas, with a readout that is its legend; arrow keys choose an epoch. */
export function chart({ title, share, onSelect }: ChartOptions): Chart {
  let data: ChartData = { steps: { at: [], values: [] }, epochs: [], mark: null, level: null };
  let selected: number | null = null;
  let plot: uPlot | null = null;

  const values = { training: h("b", {}), validation: h("b", {}) };
  const which = h("span", { class: "muted" });
  const readout = h(
    "p",
    { class: "readout" },
    h("span", { class: "training" }, "training ", values.training),
    h("span", { class: "validation" }, "validation ", values.validation),
    which,
  );
  const canvas = h("div", {
    class: "plot",
    role: "slider",
    tabindex: 0,
    "aria-label": `${title} by epoch; arrow keys choose an epoch`,
  });
  const empty = h("p", { class: "empty muted" }, "The curve begins with the first step.");
  canvas.append(empty);
  const element = h(
    "figure",
    { class: "chart card" },
    h("figcaption", {}, h("h3", {}, title), readout),
    canvas,
  );

  const shownIndex = (): number => {
    const index = data.epochs.findIndex(({ epoch }) => epoch === selected);
    return index < 0 ? data.epochs.length - 1 : index;
  };

  canvas.addEventListener("keydown", (event) => {
    const { epochs } = data;
    const moves: Record<string, number> = {
      ArrowLeft: -1,
      ArrowDown: -1,
      ArrowRight: 1,
      ArrowUp: 1,
      PageDown: -5,
      PageUp: 5,
    };
    let index = shownIndex();
    if (event.key === "Home") index = 0;
    else if (event.key === "End") index = epochs.length - 1;
    else if (event.key in moves) index += moves[event.key];
    else return;
    event.preventDefault();
    if (epochs.length === 0) return;
    index = Math.min(epochs.length - 1, Math.max(0, index));
    // The last one is followed as the run goes on.
    onSelect(index === epochs.length - 1 ? null : epochs[index].epoch);
  });

  function describe(): void {
    const row = data.epochs[shownIndex()];
    setText(values.training, fixed(row?.training));
    setText(values.validation, fixed(row?.validation));
    setText(which, row ? `epoch ${row.epoch}` : "");
    const [first, last] = [data.epochs[0]?.epoch ?? 0, data.epochs.at(-1)?.epoch ?? 0];
    canvas.setAttribute("aria-valuemin", String(first));
    canvas.setAttribute("aria-valuemax", String(last));
    canvas.setAttribute("aria-valuenow", String(row?.epoch ?? 0));
    canvas.setAttribute(
      "aria-valuetext",
      row
        ? `Epoch ${row.epoch}: training ${fixed(row.training)}, validation ${fixed(row.validation)}`
        : "No epoch is done yet",
    );
  }

  function aligned(): uPlot.AlignedData {
    const at = data.epochs.map(({ epoch }) => epoch);
    return uPlot.join([
      [[...data.steps.at], [...data.steps.values]],
      [at, data.epochs.map(({ training }) => training), data.epochs.map(({ validation }) => validation)],
    ]);
  }

  const rangeOfX = (): [number, number] => {
    const first = data.steps.at.length > 0 ? Math.floor(data.steps.at[0]) : (data.epochs[0]?.epoch ?? 0);
    const last = Math.max(data.steps.at.at(-1) ?? 0, data.epochs.at(-1)?.epoch ?? 0);
    if (first === last) return [first - 0.5, last + 0.5];
    const air = (last - first) * 0.02;
    return [first === 0 ? 0 : first - air, last + air];
  };

  /** Epochs always; of single steps all but the wildest, which would press the rest flat. */
  function rangeOfY(): [number, number] {
    const steps = [...data.steps.values].sort((a, b) => a - b);
    const quantile = (q: number): number[] =>
      steps.length > 0 ? [steps[Math.round(q * (steps.length - 1))]] : [];
    const known = data.epochs.flatMap(({ training, validation }) => [training, validation]);
    if (data.level) known.push(data.level.value);
    known.push(...quantile(share ? 0.06 : 0.02), ...quantile(share ? 0.98 : 0.94));
    const finite = known.filter(Number.isFinite);
    if (finite.length === 0) return [0, 1];
    const [low, high] = [Math.min(...finite), Math.max(...finite)];
    const width = Math.max((high - low) * 1.16, share ? 0.02 : 1e-6);
    if (!share) return [0, high * 1.06 || 1];
    const middle = (low + high) / 2;
    return [Math.max(0, middle - width / 2), Math.min(1, middle + width / 2)];
  }

  function build(): void {
    plot?.destroy();
    plot = null;
    const width = canvas.clientWidth;
    const some = data.steps.at.length > 0 || data.epochs.length > 0;
    empty.hidden = some;
    if (!some || width < 40) return;
    const font = `12px Inter, system-ui, sans-serif`;
    const [ink, grid] = [colour("muted"), colour("grid")];
    const line = (name: string, points: boolean): uPlot.Series => ({
      stroke: colour(name),
      width: 2.25,
      spanGaps: true,
      points: { show: points, size: 6, fill: colour(name), stroke: colour(name), width: 0 },
    });
    plot = new uPlot(
      {
        width,
        height: HEIGHT,
        padding: [10, 10, 0, 0],
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false }, points: { show: false }, x: false },
        scales: { x: { time: false, range: rangeOfX }, y: { range: rangeOfY } },
        axes: [
          {
            stroke: ink,
            font,
            grid: { show: false },
            ticks: { stroke: grid, size: 4 },
            incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000],
            space: 36,
            size: 26,
            label: "epoch",
            labelSize: 16,
            labelGap: -2,
            labelFont: font,
          },
          {
            stroke: ink,
            font,
            grid: { stroke: grid, width: 1 },
            ticks: { show: false },
            size: 48,
            values: (_, splits) => splits.map((value) => String(Number(value.toPrecision(4)))),
          },
        ],
        series: [
          {},
          { stroke: colour("steps"), width: 1, spanGaps: true, points: { show: false } },
          line("training", data.epochs.length <= 60),
          line("validation", data.epochs.length <= 60),
        ],
        hooks: { drawAxes: [drawMarks], draw: [drawSelection] },
      },
      aligned(),
      canvas,
    );
  }

  function drawMarks(u: uPlot): void {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = colour("muted");
    ctx.lineWidth = devicePixelRatio;
    ctx.font = `${12 * devicePixelRatio}px Inter, system-ui, sans-serif`;
    const edge = 6 * devicePixelRatio;
    if (data.mark !== null) {
      const x = Math.round(u.valToPos(data.mark, "x", true));
      if (x >= bbox.left && x <= bbox.left + bbox.width) {
        ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
        stroke(ctx, x, bbox.top, x, bbox.top + bbox.height);
        const late = x > bbox.left + 0.72 * bbox.width;
        ctx.textAlign = late ? "right" : "left";
        ctx.textBaseline = share ? "bottom" : "top";
        label(
          ctx,
          "fine-tuning",
          late ? x - edge : x + edge,
          share ? bbox.top + bbox.height - edge : bbox.top + 2,
        );
      }
    }
    if (data.level) {
      const y = Math.round(u.valToPos(data.level.value, "y", true));
      ctx.setLineDash([devicePixelRatio, 3 * devicePixelRatio]);
      stroke(ctx, bbox.left, y, bbox.left + bbox.width, y);
      ctx.textAlign = "right";
      ctx.textBaseline = "top";
      label(ctx, data.level.label, bbox.left + bbox.width - edge, y + edge / 2);
    }
    ctx.restore();
  }

  function drawSelection(u: uPlot): void {
    const row = data.epochs[shownIndex()];
    if (!row) return;
    const { ctx, bbox } = u;
    const x = Math.round(u.valToPos(row.epoch, "x", true));
    ctx.save();
    if (selected !== null) {
      ctx.strokeStyle = colour("muted");
      ctx.lineWidth = devicePixelRatio;
      stroke(ctx, x, bbox.top, x, bbox.top + bbox.height);
    }
    for (const name of ["training", "validation"] as const) {
      ctx.beginPath();
      ctx.arc(x, u.valToPos(row[name], "y", true), 5 * devicePixelRatio, 0, 2 * Math.PI);
      ctx.fillStyle = colour(name);
      ctx.strokeStyle = colour("card");
      ctx.lineWidth = 2 * devicePixelRatio;
      ctx.fill();
      ctx.stroke();
    }
    ctx.restore();
  }

  canvas.addEventListener("pointermove", (event) => {
    if (!plot || data.epochs.length === 0) return;
    const at = plot.posToVal(event.clientX - plot.over.getBoundingClientRect().left, "x");
    const nearest = data.epochs.reduce((a, b) => (Math.abs(b.epoch - at) < Math.abs(a.epoch - at) ? b : a));
    onSelect(nearest === data.epochs.at(-1) ? null : nearest.epoch);
  });
  canvas.addEventListener("pointerleave", () => onSelect(null));
  onResize(canvas, build);

  return {
    element,
    show(next, epoch) {
      const points = (plot?.series.length ?? 0) > 0 && data.epochs.length <= 60 !== next.epochs.length <= 60;
      data = next;
      selected = epoch;
      describe();
      if (plot && !points) plot.setData(aligned());
      else build();
    },
  };
}

/** Text that stays legible above lines. */
function label(ctx: CanvasRenderingContext2D, text: string, x: number, y: number): void {
  ctx.save();
  ctx.setLineDash([]);
  ctx.strokeStyle = colour("card");
  ctx.lineWidth = 4 * devicePixelRatio;
  ctx.lineJoin = "round";
  ctx.strokeText(text, x, y);
  ctx.fillText(text, x, y);
  ctx.restore();
}

function stroke(ctx: CanvasRenderingContext2D, x0: number, y0: number, x1: number, y1: number): void {
  ctx.beginPath();
  ctx.moveTo(x0, y0);
  ctx.lineTo(x1, y1);
  ctx.stroke();
}
