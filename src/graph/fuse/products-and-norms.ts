/**
 * @file What is done to programs with batch norms, and the convolutions around them: product-rewrite.ts, and
 *
 * - **Prologue.** A batch norm with its activation and the gradient of a standardization are never stored where products alone
 *   read them: these make them while they load. A sum makes norms so, too.
 * - **Epilogue.** A convolution finds the moments of its result while it stores it. Where its result passes back through an
 *   activation and a batch norm, it does so on its way out, with the sums that γ and β want.
 */
import type { KernelTarget } from "../../kernels/kernel.ts";
import type { Node } from "../graph.ts";
import type { Rewriting } from "../op.ts";
import type { BatchNormPattern } from "../pattern.ts";
import type { Changes } from "./changes.ts";
import { findFamilies } from "./families.ts";
import { hasPlanes, StatisticsFolder } from "./given-statistics.ts";
import { laidSideBySide, layOut } from "./layout.ts";
import type { FamilyLayout } from "./layout.ts";
import { fuseMovingStatistics } from "./moving-statistics.ts";
import { activatedNode } from "./norm-nodes.ts";
import { NormRewrite } from "./norm-rewrite.ts";
import { NormTables } from "./norm-tables.ts";
import type { Passing } from "./passing.ts";
import { ProductRewrite, products } from "./product-rewrite.ts";
import type { NormRules, RewriteContext } from "./product-rewrite.ts";
import type { Readers } from "./readers.ts";
import { stacks } from "./stacks.ts";

/** Brought by batch norms. */
export const productsAndNorms: Rewriting = {
  includes: [products, stacks],
  run: (nodes, outputs, target) =>
    new ProductRewrite(nodes, outputs, target, (...found) => new Norms(...found)).run(),
};

/** The batch norms of a program. */
class Norms implements NormRules {
  readonly norms: ReadonlySet<Node>;
  readonly gradients: ReadonlySet<Node>;
  readonly #nodes: readonly Node[];
  readonly #families: readonly FamilyLayout[];
  readonly #tables = new NormTables();
  readonly #folder = new StatisticsFolder();

  constructor(
    nodes: readonly Node[],
    readers: Readers,
    order: ReadonlyMap<Node, number>,
    limits: KernelTarget,
  ) {
    this.#nodes = nodes;
    const families = findFamilies(nodes, readers).flatMap(
      (family) => layOut(family, readers, order, limits) ?? [],
    );
    this.#families = laidSideBySide(families, readers, limits);
    const norms = this.#families.flatMap((family) => family.norms);
    this.norms = new Set(norms.map(({ node }) => node));
    this.gradients = new Set(norms.flatMap(({ gradient }) => gradient?.node ?? []));
  }

  rewrite(changes: Changes, context: RewriteContext): void {
    for (const family of this.#families)
      new NormRewrite(family, changes, { ...context, tables: this.#tables }).run();
  }

  rewriteGiven(node: Node, pattern: BatchNormPattern, changes: Changes, passing: Passing): void {
    if (!hasPlanes(pattern)) return;
    const { norm, activation } = pattern;
    const [z] = node.outputs;
    const inPassing = passing.isNormed(z);
    const lies = norm.x.node?.op.pattern?.kind === "concat" || changes.isPlaced(z);
    if (!inPassing && !lies && !changes.isPlaced(norm.x)) return;
    const x = changes.placeOf(norm.x);
    const { planes, nodes: folds } = this.#folder.fold(pattern);
    if (inPassing) {
      changes.readings.set(z, { kind: "activated", x, planes, activation });
      changes.replaced.set(node, folds);
    } else
      changes.replaced.set(node, [...folds, activatedNode(node, x, changes.placeOf(z), planes, activation)]);
  }

  movingStatistics(): Iterable<readonly [Node, readonly Node[]]> {
    return fuseMovingStatistics(this.#nodes, this.#families, this.#tables);
  }
}
