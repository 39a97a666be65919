import { expect, it } from "vitest";
import { readCvat } from "../../../src/data/annotations/cvat.ts";
import { drawn } from "./drawn.ts";

const aFile = (shapes: string): string => `<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <version>1.1</version>
  <meta><job><labels>
    <label><name>hat</name><color>#ff0000</color><attributes><attribute><name>worn</name></attribute></attributes></label>
    <label><name>shoe &amp; sock</name></label>
  </labels></job></meta>
  <image id="0" name="sub/a.jpg" width="6" height="4">
${shapes}
  </image>
  <image id="1" name="b.jpg" width="2" height="2"/>
</annotations>`;

it("polygons, boxes and masks by z-order; attributes and labels are told apart", () => {
  const set = readCvat(
    aFile(`
    <mask label="hat" source="manual" occluded="0" rle="1, 2, 2, 1" left="3" top="2" width="3" height="2" z_order="2"></mask>
    <polygon label="hat" points="0.00,0.00;3.00,0.00;3.00,3.00;0.00,3.00" z_order="0"><attribute name="worn">yes</attribute></polygon>
    <box label="shoe &amp; sock" xtl="2.00" ytl="2.00" xbr="6.00" ybr="4.00" z_order="1"></box>`),
    "annotations.xml",
  );
  expect(set.labels).toEqual(["hat", "shoe & sock"]);
  expect(set.photos.map(({ photo }) => photo)).toEqual(["sub/a.jpg", "b.jpg"]);
  expect(drawn(set.photos[0], set.labels)).toEqual(["111000", "111000", "112211", "002221"]);
  expect(drawn(set.photos[1], set.labels)).toEqual(["00", "00"]);
});

it.each([
  ['<polygon label="hat" points="0,0;1,1"/>', 'annotations.xml, line 9, polygon "hat", has 2 points'],
  ['<polygon points="0,0;1,1;2,2"/>', "annotations.xml, line 9, has a polygon without a label"],
  ['<polygon label="hat" points="0,0;1,;2,2"/>', "has a coordinate that is no number"],
  [
    '<polyline label="hat" points="0,0;1,1"/>',
    'polyline "hat", cannot be learned from: draw polygons, masks or boxes',
  ],
  [
    '<mask label="hat" rle="1,2" left="0" top="0" width="2" height="2"/>',
    "has run lengths of 3 pixels for 2×2",
  ],
  ['<box label="hat" xtl="1" ytl="1" xbr="2"/>', "has a coordinate that is no number"],
  ["<polygon", "annotations.xml is not XML"],
])("%s", (shapes, sentence) => {
  expect(() => readCvat(aFile(shapes), "annotations.xml")).toThrow(sentence);
});

it("a file that breaks off", () => {
  expect(() => readCvat(aFile("").slice(0, -30), "annotations.xml")).toThrow("annotations.xml is not XML");
});
