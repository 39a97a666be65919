/** @file For every file of tests: what the driver compiles there runs once or twice, on few numbers. */
import { compileQuickly } from "./quick-compiler.ts";

compileQuickly();
