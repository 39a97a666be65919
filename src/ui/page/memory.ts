import type { MemoryPlan } from "../../graph/memory-plan.ts";
import { phaseTitle } from "../../runs/phase.ts";
import type { Freeze, Phase } from "../../runs/phase.ts";
import type { RunState } from "../run-state.ts";
import { facts, h, part, scrollable, setText, table } from "./dom.ts";
import { bytes, percent, whole } from "./format.ts";
import { memoryMap } from "./memory-map.ts";
import { FAMILY_NAMES } from "./op-families.ts";

/** Blocks in the table; the smaller ones are summed up. */
const ROWS = 50;

/** The graph's memory plan for each phase: a map, and the same as a table. */
export function memory(): (state: RunState) => void {
  /** Null follows the latest phase. */
  let chosen: Phase | null = null;
  let phases: readonly Phase[] = [];
  let freeze: Freeze = "encoder";
  let shown: Phase | null = null;

  const map = memoryMap();
  const choices = h("fieldset", { class: "choices" }, h("legend", { class: "unseen" }, "Phase"));
  const totals = h("div", {});
  const rows = h("div", {});
  const legend = h(
    "ul",
    { class: "legend" },
    ...FAMILY_NAMES.map((name, i) => h("li", {}, h("i", { class: `family-${i}` }), name)),
  );
  const empty = h("p", { class: "muted" }, "The memory plan comes with the first phase.");
  const card = h(
    "div",
    { class: "card" },
    choices,
    totals,
    map.element,
    legend,
    h("details", {}, h("summary", {}, "Blocks as a table"), rows),
  );
  part("memory").append(
    h("h2", { id: "memory-title" }, "Memory of a step"),
    h(
      "p",
      { class: "muted lead" },
      "Who lies where on the GPU, and when: tensors whose lives do not meet share a block.",
    ),
    empty,
    card,
  );
  card.hidden = true;

  function drawChoices(): void {
    const radios = phases.map((phase) => {
      const input = h("input", { type: "radio", name: "phase", value: phase });
      input.checked = phase === (chosen ?? phases.at(-1));
      input.addEventListener("change", () => {
        chosen = phase;
        void load();
      });
      return h("label", {}, input, h("span", {}, phaseTitle(phase, freeze)));
    });
    choices.replaceChildren(choices.firstElementChild!, ...radios);
    choices.hidden = phases.length < 2;
  }

  async function load(): Promise<void> {
    const phase = chosen ?? phases.at(-1);
    if (phase === undefined || phase === shown) return;
    shown = phase;
    const response = await fetch(`/plans/${phase}.json`).catch(() => null);
    if (shown !== phase) return;
    if (!response?.ok) {
      shown = null;
      return;
    }
    const plan = (await response.json()) as MemoryPlan;
    empty.hidden = true;
    card.hidden = false;
    totals.replaceChildren(facts(totalsOf(plan)));
    rows.replaceChildren(scrollable("Blocks", blockTable(plan)), remainder(plan));
    map.show(plan);
  }

  let known: RunState["plans"] | null = null;
  setText(totals, "");
  return ({ plans, run }) => {
    if (known === plans) return;
    known = plans;
    freeze = run?.freeze ?? "encoder";
    phases = plans;
    // Another run may have begun behind the same address.
    shown = null;
    if (chosen !== null && !phases.includes(chosen)) chosen = null;
    drawChoices();
    void load();
  };
}

function totalsOf(plan: MemoryPlan): [string, string][] {
  const tenants = plan.blocks.reduce((sum, block) => sum + block.tenants.length, 0);
  return [
    ["Arena", `${bytes(plan.arenaBytes)} in ${whole(plan.blocks.length)} blocks`],
    ["Without sharing", `${bytes(plan.unsharedBytes)} for ${whole(tenants)} tensors`],
    ["Variables", bytes(plan.variableBytes)],
    ["Inputs", bytes(plan.inputBytes)],
    ["All together", bytes(plan.peakBytes)],
    ["Dispatches", whole(plan.dispatches)],
  ];
}

function blockTable(plan: MemoryPlan): HTMLTableElement {
  return table(
    ["Block", "Size", "Tensors", "In use", "Largest", "Its op"],
    plan.blocks.slice(0, ROWS).map(({ bytes: size, tenants }, i) => {
      const largest = tenants.reduce((a, b) => (b.bytes > a.bytes ? b : a));
      const used = tenants.reduce(
        (sum, { first, last }) => sum + Math.min(last + 1, plan.dispatches) - first,
        0,
      );
      return [
        String(i + 1),
        bytes(size),
        whole(tenants.length),
        percent(used / plan.dispatches),
        largest.name,
        largest.op,
      ];
    }),
  );
}

function remainder({ blocks }: MemoryPlan): HTMLElement {
  const rest = blocks.slice(ROWS);
  const size = rest.reduce((sum, block) => sum + block.bytes, 0);
  return h(
    "p",
    { class: "muted", hidden: rest.length === 0 },
    `${whole(rest.length)} smaller blocks take ${bytes(size)} together.`,
  );
}
