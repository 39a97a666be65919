import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { arch, availableParallelism, platform, release, totalmem } from "node:os";
import { adapterKind, chooseAdapter } from "../../scripts/setup/adapter-choice.mjs";
import type { AdapterKind, FoundAdapter } from "../../scripts/setup/adapter-choice.mjs";
import { describeAdapter, listAdapters, openAdapter, wantedAdapter } from "../adapter/adapters.ts";
import type { AdapterDescription } from "../adapter/adapters.ts";
import { describeMatrix } from "../gpu/subgroup-matrix.ts";
import { selfTest } from "./doctor-self-test.ts";
import type { SelfTest } from "./doctor-self-test.ts";
import { openDevice } from "../adapter/open-gpu.ts";

/** What `npm run doctor` found out; with `--json` it is printed as it is. */
export interface DoctorReport {
  /** Whether training will run here. */
  ok: boolean;
  /** What is wrong and how to mend it, in one sentence; null when all is well. */
  problem: string | null;
  node: string;
  /** The npm that started this, if one did. */
  npm: string | null;
  /** The version of Dawn's Node bindings. */
  webgpu: string;
  platform: { os: string; release: string; arch: string; cpus: number; memoryBytes: number };
  /** The environment variables that bear on the choice of the adapter, as far as they are set. */
  environment: Record<string, string>;
  adapters: (FoundAdapter & { kind: AdapterKind; chosen: boolean })[];
  chosen: (AdapterDescription & { fullName: string; backend: string; reason: string }) | null;
  /** Everything the chosen adapter allows, by WebGPU's names. */
  limits: Record<string, number>;
  features: string[];
  /** The features the engine's device was opened with. */
  enabledFeatures: string[];
  /** Which matrices of subgroups kernels multiply, or why none; null when no device was opened. */
  matrices: { used: boolean; detail: string } | null;
  selfTest: SelfTest | null;
}

const VARIABLES = [
  "BESPOKE_ADAPTER",
  "BESPOKE_NO_APT",
  "VK_DRIVER_FILES",
  "VK_ICD_FILENAMES",
  "LD_LIBRARY_PATH",
];

/** Looks at this machine, opens the adapter that training would use and tests it. Never throws: see `problem`. */
export async function diagnose(env: NodeJS.ProcessEnv = process.env): Promise<DoctorReport> {
  const report: DoctorReport = {
    ok: false,
    problem: null,
    node: process.versions.node,
    npm: /\bnpm\/(\S+)/.exec(env.npm_config_user_agent ?? "")?.[1] ?? null,
    webgpu: moduleVersion("webgpu"),
    platform: {
      os: platform(),
      release: release(),
      arch: arch(),
      cpus: availableParallelism(),
      memoryBytes: totalmem(),
    },
    environment: Object.fromEntries(
      VARIABLES.flatMap((name) => (env[name] ? [[name, env[name]] as [string, string]] : [])),
    ),
    adapters: [],
    chosen: null,
    limits: {},
    features: [],
    enabledFeatures: [],
    matrices: null,
    selfTest: null,
  };
  try {
    await examineAdapters(report, env);
    if (report.selfTest?.ok) report.ok = true;
    else
      report.problem = `The adapter "${report.chosen?.fullName}" does not compute: ${report.selfTest?.detail}.`;
  } catch (error) {
    report.problem = env.BESPOKE_SETUP_PROBLEM || (error as Error).message;
  }
  return report;
}

/** Fills in what needs Dawn, step by step, so that a report of a failure holds what was found before it. */
async function examineAdapters(report: DoctorReport, env: NodeJS.ProcessEnv): Promise<void> {
  const found = await listAdapters();
  const choice =
    chooseAdapter(found, env.BESPOKE_ADAPTER || "auto") ?? chooseAdapter(found, wantedAdapter(env));
  report.adapters = found.map((each) => ({
    ...each,
    kind: adapterKind(each.name),
    chosen: each === choice?.adapter,
  }));
  const adapter = await openAdapter(choice?.adapter.name ?? wantedAdapter(env));
  report.chosen = {
    ...describeAdapter(adapter),
    fullName: choice?.adapter.name ?? "",
    backend: choice?.adapter.backend ?? "",
    reason: [choice?.reason, env.BESPOKE_SETUP_NOTE].filter(Boolean).join("; "),
  };
  report.limits = limitsOf(adapter);
  report.features = [...(adapter.features as Iterable<string>)].sort();
  const gpu = await openDevice(adapter);
  try {
    report.enabledFeatures = [...gpu.features].sort();
    const { subgroupMatrix: matrix, noMatrixReason } = gpu;
    report.matrices = matrix
      ? { used: true, detail: describeMatrix(matrix) }
      : { used: false, detail: noMatrixReason ?? "" };
    report.selfTest = await selfTest(gpu);
  } finally {
    gpu.destroy();
  }
}

/** The limits are getters of the prototype, which neither JSON nor a spread sees. */
function limitsOf({ limits }: GPUAdapter): Record<string, number> {
  const getters = Object.getOwnPropertyDescriptors(Object.getPrototypeOf(limits) as object);
  const values = limits as unknown as Record<string, unknown>;
  return Object.fromEntries(
    Object.keys(getters)
      .filter((name) => typeof values[name] === "number")
      .sort()
      .map((name) => [name, values[name] as number]),
  );
}

function moduleVersion(name: string): string {
  // The package's own package.json, found beside its entry, because its exports may not offer it.
  const entry = createRequire(import.meta.url).resolve(name);
  const folder = entry.slice(0, entry.lastIndexOf(`node_modules/${name}/`) + `node_modules/${name}/`.length);
  return (JSON.parse(readFileSync(`${folder}package.json`, "utf8")) as { version: string }).version;
}
