import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { queueCommand } from "../../src/cli/definitions/queue.ts";

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly selector?: { readonly matchLabels?: object; readonly app?: string };
    readonly template?: {
      readonly metadata: {
        readonly labels: Record<string, string>;
        readonly annotations?: Record<string, string>;
      };
      readonly spec: {
        readonly terminationGracePeriodSeconds?: number;
        readonly containers: readonly {
          readonly args: readonly string[];
          readonly env: readonly {
            readonly name: string;
            readonly value?: string;
            readonly valueFrom?: object;
          }[];
          readonly volumeMounts: readonly { readonly name: string }[];
        }[];
        readonly volumes?: readonly { readonly name: string }[];
      };
    };
  };
}

const page = readFileSync("docs/queue.md", "utf8");
const text = /^```yaml\n([^]*?)^```$/m.exec(page)![1];
const documents = parseAllDocuments(text);
const manifests = documents.map((document) => document.toJS() as Manifest);

/** What a command line comes to; fails where it is not one of `queue`. */
function parsed(args: readonly string[]): Record<string, unknown> {
  const command = queueCommand();
  let flags: Record<string, unknown> | undefined;
  for (const program of command.commands) program.exitOverride().action(() => void (flags = program.opts()));
  command.exitOverride().parse(args, { from: "user" });
  return flags!;
}

describe("the manifest for Kubernetes", () => {
  it("is YAML of the kinds that there are to be", () => {
    expect(documents.flatMap(({ errors, warnings }) => [...errors, ...warnings])).toEqual([]);
    expect(manifests.map(({ kind }) => kind)).toEqual([
      "Service",
      "StatefulSet",
      "NetworkPolicy",
      "Job",
      "Deployment",
    ]);
  });

  it("calls the programs as they want it", () => {
    const [job, deployment] = manifests.slice(-2).map(({ spec }) => spec.template!.spec);
    const [[, ...add], [, ...work]] = [job, deployment].map(({ containers }) => containers[0].args);
    expect(parsed(add)).toMatchObject({ list: "/photos/photos.txt", out: "/labels/out" });
    const { metrics, grace, adapter } = parsed(work);
    expect([metrics, adapter]).toEqual([{ host: "0.0.0.0", port: 9464 }, "hardware"]);
    expect(deployment.terminationGracePeriodSeconds).toBeGreaterThan(grace as number);
    expect(manifests.at(-1)!.spec.template!.metadata.annotations!["prometheus.io/port"]).toBe("9464");
  });

  it("has what it names, and no password", () => {
    for (const { spec, kind } of manifests.filter(({ spec }) => spec.template)) {
      const { containers, volumes = [{ name: "data" }] } = spec.template!.spec;
      for (const { env, volumeMounts } of containers) {
        const names = volumes.map(({ name }) => name);
        expect(volumeMounts.filter(({ name }) => !names.includes(name))).toEqual([]);
        const password = env.find(({ name }) => name === "REDIS_PASSWORD")!;
        expect(password.valueFrom).toEqual({ secretKeyRef: { name: "bespoke-redis", key: "password" } });
      }
      // Redis lets no other pod in.
      if (kind !== "StatefulSet") expect(spec.template!.metadata.labels.uses).toBe("bespoke-redis");
      if (kind !== "Job") expect(spec.template!.metadata.labels).toMatchObject(spec.selector!.matchLabels!);
    }
  });

  it("is in a page whose command lines are those of the programs", () => {
    const lines = page
      .match(/^(?:exec node_modules\/.bin\/)?bespoke queue .*$/gm)!
      .map((line) => line.replace(/^(exec node_modules\/.bin\/)?bespoke queue /, ""));
    expect(lines.length).toBeGreaterThan(4);
    for (const line of lines) parsed(line.replace(/ +#.*/, "").split(" "));
  });
});
