import fc from "fast-check";
import { parseHTML } from "linkedom";
import { describe, expect, it } from "vitest";
import { escapeXml, shorten, text } from "../../../src/runs/figures/svg.ts";

describe("svg", () => {
  it("writes any text as text", () => {
    fc.assert(
      fc.property(fc.string(), (content) => {
        const svg = text(content, 1, 2);
        const element = parseHTML(`<html><body><svg>${svg}</svg></body></html>`).document.querySelector(
          "text",
        );
        expect(element?.children).toHaveLength(0);
        expect(escapeXml(content)).not.toMatch(/[<>"]|&(?!amp;|lt;|gt;|quot;)/);
      }),
    );
    expect(text('a<b>&"', 1, 2)).toContain(">a&lt;b&gt;&amp;&quot;</text>");
  });

  it("shortens in the middle", () => {
    expect(shorten("photo-0001.jpg", 14)).toBe("photo-0001.jpg");
    expect(shorten("photo-0001.jpg", 9)).toBe("phot….jpg");
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 1, max: 40 }), (content, length) => {
        expect([...shorten(content, length)].length).toBeLessThanOrEqual(length);
      }),
    );
  });
});
