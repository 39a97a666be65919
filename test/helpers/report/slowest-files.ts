import { relative } from "node:path";
import type { Reporter, TestModule } from "vitest/node";

const SHOWN = 10;

/** Ends a run of tests with the files that took most processor time: what a slow run is to be made quicker by. */
export default class SlowestFiles implements Reporter {
  onTestRunEnd(files: readonly TestModule[]): void {
    const measured = files
      .map((file) => ({ name: relative(process.cwd(), file.moduleId), seconds: file.meta().cpuSeconds }))
      .filter((file): file is { name: string; seconds: number } => file.seconds !== undefined)
      .sort((a, b) => b.seconds - a.seconds);
    if (measured.length <= 1) return;
    const total = measured.reduce((sum, { seconds }) => sum + seconds, 0);
    console.log(`\n Processor time ${minutes(total)}. The slowest files, in seconds of it:`);
    for (const { name, seconds } of measured.slice(0, SHOWN)) {
      console.log(`${seconds.toFixed(1).padStart(8)}  ${name}`);
    }
  }
}

function minutes(seconds: number): string {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
