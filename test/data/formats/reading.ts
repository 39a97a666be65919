import { relative, sep } from "node:path";
import type { DataSource, Format } from "../../../src/data/formats/format.ts";
import { Place } from "../../../src/data/formats/place.ts";

/** What a format's reader makes of a path, and what it says. */
export async function reading(format: Format, path: string): Promise<DataSource & { said: string[] }> {
  const said: string[] = [];
  const source = await format.read((await Place.at(path))!, (sentence) => said.push(sentence));
  return { ...source, said };
}

export const isRecognised = async (format: Format, path: string): Promise<boolean> =>
  format.recognise((await Place.at(path))!);

/** Pairs as lines: `part name: photo, mask`, paths below the folder. */
export const lines = ({ pairs }: DataSource, folder: string): string[] =>
  pairs.map(({ name, image, mask, part = "-" }) => {
    const [photo, labels] = [image, mask].map((file) => relative(folder, file).replaceAll(sep, "/"));
    return `${part} ${name}: ${photo}, ${labels}`;
  });
