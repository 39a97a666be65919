import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Stems } from "../../src/bulk/stems.ts";
import { outputNames } from "../../src/use/output-sink.ts";

const stemOf = (path: string): string => new Stems().of(path);

describe("Stems", () => {
  it("keeps the path and leaves the ending out", () => {
    expect(stemOf("a.jpg")).toBe("a");
    expect(stemOf("street/b.c.png")).toBe("street/b.c");
    expect(stemOf("ünïcode/写真.webp")).toBe("ünïcode/写真");
  });

  it("leads out of no folder, hides nothing and keeps clear of the outputs", () => {
    expect(stemOf("/mnt/photos/a.jpg")).toBe("mnt/photos/a");
    expect(stemOf("../../etc/./a.jpg")).toBe("etc/a");
    expect(stemOf(".hidden/.a.jpg")).toBe("_hidden/_a");
    expect(stemOf("x.mask.png/a.jpg")).toBe("x.mask.png_/a");
    expect(stemOf("a\u202e\n:b.jpg")).toBe("a___b");
    expect(stemOf("manifest.jpg")).toBe("manifest~2");
    expect(stemOf("..")).toBe("photo");
  });

  it("tells apart what would be called the same", () => {
    const stems = new Stems();
    const paths = ["a.jpg", "a.png", "A.jpg", "a~2.jpg", "a.jpg", "e\u0301.jpg", "\u00e9.jpg"];
    expect(paths.map((path) => stems.of(path))).toEqual([
      "a",
      "a~2",
      "A~3",
      "a~2~2",
      "a~4",
      "e\u0301",
      "\u00e9~2",
    ]);
  });

  it("shortens what a file system has no room for, and keeps it apart", () => {
    const stems = new Stems();
    const [a, b] = ["é", "ü"].map((last) => stems.of(`${"漢".repeat(150)}${last}.jpg`));
    expect(a).not.toBe(b);
    expect(Buffer.byteLength(a)).toBeLessThanOrEqual(200);
    expect(a).toMatch(/^漢+~[0-9a-f]{12}$/);
  });

  it("gives names of which no two fall together, as files or as folders", () => {
    const part = fc.constantFrom(
      "a",
      "A",
      "b.json",
      "a.mask.png",
      "a.mask",
      "..",
      "",
      "~2",
      "a~2",
      "manifest",
      "c.logits",
    );
    const path = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));
    fc.assert(
      fc.property(fc.array(path, { maxLength: 30 }), (paths) => {
        const stems = new Stems();
        const files = new Set<string>(["manifest.json"]);
        const folders = new Set<string>();
        for (const path of paths) {
          const stem = stems.of(`${path}.jpg`);
          for (const name of Object.values<string>({ ...outputNames(stem) })) {
            const key = name.toLowerCase();
            expect(files).not.toContain(key);
            files.add(key);
            const parts = key.split("/").slice(0, -1);
            parts.forEach((_, i) => folders.add(parts.slice(0, i + 1).join("/")));
          }
        }
        for (const folder of folders) expect(files).not.toContain(folder);
      }),
    );
  });
});
