import { beforeAll, describe, expect, it } from "vitest";
import { writeSafetensors } from "../../src/weights/safetensors-file.ts";
import { untrainedWeights } from "../ui/demo/small-model.ts";
import { temporaryFolder } from "../files/temporary-folder.ts";
import { runCommandLine } from "./command-process.ts";

describe("npm run demo", { timeout: 60_000 }, () => {
  const temporary = temporaryFolder();
  let model: string;
  beforeAll(async () => {
    model = temporary("model.safetensors");
    await writeSafetensors(model, untrainedWeights(5), { image_size: "32" });
  });

  it("serves the page until Ctrl-C", async () => {
    const pages: Promise<string>[] = [];
    const { code, output } = await runCommandLine("demo", ["--model", model, "--port", "0"], {
      onOutput: (said, kill) => {
        const url = /http:\/\/127\.0\.0\.1:\d+\//.exec(said)?.[0];
        if (url === undefined || pages.length > 0) return;
        pages.push(fetch(url).then((response) => response.text()));
        void pages[0].finally(() => kill("SIGINT"));
      },
    });
    expect(await pages[0]).toContain("<title>bespoke: label a photo</title>");
    expect(output).toContain("Model: model.safetensors, 32×32, 5 classes");
    expect(code).toBe(0);
  });

  it("says in a sentence that there is no such model", async () => {
    const { code, errors } = await runCommandLine("demo", ["--model", "nowhere"]);
    expect(code).toBe(1);
    expect(errors.trim()).toMatch(/^There is no model nowhere: give/);
  });
});
