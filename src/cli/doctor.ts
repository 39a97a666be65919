import { diagnose } from "./doctor-report.ts";
import type { DoctorReport } from "./doctor-report.ts";
import { EXIT_INTERRUPTED, runCommand } from "./run-command.ts";
import { doctorCommand } from "./definitions/doctor.ts";

/** The limits that decide what fits: all of them are in the JSON. */
const TELLING_LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupsPerDimension",
];

const command = doctorCommand();

await runCommand(command, async (interrupted) => {
  const { json } = command.opts<{ json?: boolean }>();
  // It leaves nothing that would have to be put in order.
  interrupted.addEventListener("abort", () => process.exit(EXIT_INTERRUPTED));
  const report = await diagnose();
  console.log(json ? JSON.stringify(report, null, 2) : asText(report));
  if (report.ok) return;
  if (!json) console.error(`doctor: ${report.problem}`);
  process.exitCode = 1;
});

function asText(report: DoctorReport): string {
  const { platform, chosen, selfTest, limits } = report;
  const rows: [string, string][] = [
    ["Node", report.npm === null ? report.node : `${report.node}, npm ${report.npm}`],
    [
      "Platform",
      `${platform.os} ${platform.release}, ${platform.arch}, ${platform.cpus} cores, ${bytes(platform.memoryBytes)}`,
    ],
    ["Dawn", `webgpu ${report.webgpu}`],
    ...Object.entries(report.environment),
  ];
  if (report.adapters.length === 0) rows.push(["Adapters", "none"]);
  report.adapters.forEach(({ name, backend, kind, chosen: isChosen }, i) =>
    rows.push([i === 0 ? "Adapters" : "", `${isChosen ? "*" : " "} ${name} (${backend}, ${kind})`]),
  );
  if (chosen !== null) {
    rows.push(
      ["Chosen", `${chosen.fullName}: ${chosen.reason}`],
      ["Driver", [chosen.vendor, chosen.architecture, chosen.driver].filter(Boolean).join(", ")],
      ["Features", report.features.join(", ")],
      ["Enabled", report.enabledFeatures.join(", ")],
      ["Matrices", `${report.matrices?.used ? "" : "none: "}${report.matrices?.detail}`],
    );
    TELLING_LIMITS.forEach((name, i) =>
      rows.push([
        i === 0 ? "Limits" : "",
        `${name} ${/Size$/.test(name) ? bytes(limits[name]) : limits[name]}`,
      ]),
    );
  }
  if (selfTest !== null) {
    rows.push([
      "Self-test",
      `${selfTest.ok ? "passed" : "FAILED"}: ${selfTest.detail}, ${selfTest.milliseconds} ms`,
    ]);
  }
  const width = Math.max(...rows.map(([label]) => label.length)) + 2;
  return rows.map(([label, value]) => wrap(label.padEnd(width), value)).join("\n");
}

/** Breaks a long value at its commas, under its own beginning. */
function wrap(label: string, value: string): string {
  const lines = [label];
  for (const word of value.split(/(?<=,) /)) {
    const last = lines[lines.length - 1];
    if (last.length > label.length && last.length + word.length > 108)
      lines.push(" ".repeat(label.length) + word);
    else lines[lines.length - 1] = last + (last.length > label.length ? " " : "") + word;
  }
  return lines.join("\n");
}

function bytes(count: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB"];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log2(count) / 10)));
  return `${Number((count / 1024 ** power).toFixed(1))} ${units[power]}`;
}
