import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseLine, saysNothing } from "../../src/bulk/list-lines.ts";

const parse = (text: string): unknown => parseLine(text, "Line 7 of list.txt");
const place = (path: string): unknown => ({ kind: "photo", place: path });

describe("parseLine", () => {
  it("takes paths and URLs as they are", () => {
    for (const path of [
      "a.jpg",
      "street/a b.png",
      " a.jpg ",
      "no ending",
      "./#1.jpg",
      "./{x}.jpg",
      "C:\\a.jpg",
      "é.webp",
    ])
      expect(parse(path)).toEqual(place(path));
    expect(parse("https://host/a.jpg?x=1#2")).toEqual(place("https://host/a.jpg?x=1#2"));
    expect(parse("a.jpg\r")).toEqual(place("a.jpg"));
  });

  it("passes over blank lines and comments, as what divides a list does", () => {
    for (const text of ["", " \t", "\r", "# a.jpg", "#"]) {
      expect(parse(text)).toEqual({ kind: "nothing" });
      expect(saysNothing(Buffer.from(text), 0, text.length)).toBe(true);
    }
    for (const text of ["a", " #a.jpg", "{}"])
      expect(saysNothing(Buffer.from(text), 0, text.length)).toBe(false);
  });

  it("says nothing where what divides a list says so, whatever the line", () => {
    const text = fc.array(fc.constantFrom(" ", "\t", "\r", "#", "a", "\u00a0", "\0"), { maxLength: 5 });
    fc.assert(
      fc.property(text, (letters) => {
        const line = Buffer.from(letters.join(""));
        const isNothing = (parse(letters.join("")) as { kind: string }).kind === "nothing";
        expect(isNothing).toBe(saysNothing(line, 0, line.length));
      }),
    );
  });

  it("takes the photos of a bucket's listing, and passes over what else is there", () => {
    expect(parse("2026-01-31 12:00:00      48123 street/a b.jpg")).toEqual(place("street/a b.jpg"));
    expect(parse("2026-01-31 12:00:00          0 street/")).toEqual({ kind: "passed-over" });
    expect(parse("2026-01-31 12:00:00          9 street/labels.csv")).toEqual({ kind: "passed-over" });
    expect(parse('{"Key": "street/a.JPG", "Size": 48123, "LastModified": "2026-01-31T12:00:00Z"}')).toEqual(
      place("street/a.JPG"),
    );
    expect(parse('{"Key": "street/"}')).toEqual({ kind: "passed-over" });
  });

  it("refuses in a sentence what it cannot read", () => {
    expect(() => parse("s3://bucket/a.jpg")).toThrow(
      /^Line 7 of list\.txt is a URL of s3, which is not read here: give http/,
    );
    expect(() => parse("gs://bucket/a.jpg")).toThrow(/URL of gs/);
    for (const text of ["{", '{"key": "a.jpg"}', '{"Key": 3}'])
      expect(() => parse(text)).toThrow(/^Line 7 of list\.txt begins as JSON and has no "Key": /);
  });
});
