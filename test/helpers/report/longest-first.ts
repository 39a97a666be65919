import { existsSync } from "node:fs";
import { relative } from "node:path";
import { BaseSequencer } from "vitest/node";
import type { TestSpecification } from "vitest/node";

/** The files that take most processor time, as `slowest-files.ts` has them. */
const LONGEST = [
  "test/cli/ranks.slow.test.ts",
  "test/graph/fuse/fuse.test.ts",
  "test/queue/chaos.slow.test.ts",
  "test/cli/predict-shards.slow.test.ts",
  "test/package/package.slow.test.ts",
  "test/examples/examples.test.ts",
  "test/train/phase/programs-on-any-adapter.slow.test.ts",
  "test/kernels/conv2d/tiles-matrix.slow.test.ts",
  "test/parity/parity.test.ts",
  "test/cli/whole-network.slow.test.ts",
  "test/cli/train.test.ts",
  "test/train/ranks.test.ts",
  "test/parity/training.slow.test.ts",
  "test/kernels/conv2d/fused-matrix.test.ts",
  "test/cli/resume.test.ts",
];

/**
 * Begins a run with the longest files, so that none of them is alone at its end. vitest itself goes by how long files took the last
 * time, and by their size where it does not know, as on a fresh clone. Files that share processes come last.
 */
export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const gone = LONGEST.filter((name) => !existsSync(name));
    if (gone.length > 0) throw new Error(`longest-first.ts names files that are gone: ${gone.join(", ")}.`);
    const place = ({ moduleId, project }: TestSpecification): number => {
      const found = LONGEST.indexOf(relative(process.cwd(), moduleId));
      if (found >= 0) return found;
      // A process goes on to the next file only where that file shares processes too.
      return project.config.isolate ? LONGEST.length : LONGEST.length + 1;
    };
    return (await super.sort(files)).sort((a, b) => place(a) - place(b));
  }
}
