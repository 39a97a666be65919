import type { Encoder } from "../layers/networks/encoder.ts";
import type { Checksum } from "./checksum.ts";
import { FetchError } from "./fetch-error.ts";

/** Files of one tree of a GitHub repository. */
export interface RepositorySource {
  /** `owner/name` */
  readonly repository: string;
  readonly commit: string;
  /** Id of the commit's root tree, by which every file is verified. */
  readonly tree: string;
  /** Home of GitHub's API and of its raw files. */
  readonly api: string;
  readonly raw: string;
  readonly wanted: (path: string) => boolean;
  /** How to do without this command. */
  readonly byHand: string;
}

/** One file. */
export interface FileSource {
  readonly name: string;
  readonly url: string;
  /** Null where none is published: what the server states counts then. */
  readonly checksum: Checksum | null;
  readonly byHand: string;
}

/**
 * Clothing Co-Parsing (Yang, Luo and Lin, CVPR 2014; Apache-2.0). Of its 2,098 photos 1,004 are annotated pixel by
 * pixel; the Kaggle edition, and so the tutorial, has the first 1,000 of these, which are the ones taken.
 */
export const CLOTHING: RepositorySource = {
  repository: "bearpaw/clothing-co-parsing",
  commit: "fe34fb77721a9973fbae92c05f7f12b664d10110",
  tree: "ed77ce5ed969cb362f75ef140d332d347bde81be",
  api: "https://api.github.com",
  raw: "https://raw.githubusercontent.com",
  wanted: (path) => {
    const [, number] = /^(?:photos\/(\d{4})\.jpg|annotations\/pixel-level\/\d{4}\.mat)$/.test(path)
      ? /(\d{4})\.\w+$/.exec(path)!
      : [];
    if (number !== undefined) return Number(number) <= 1000;
    return ["LICENSE", "README.md", "label_list.mat"].includes(path);
  },
  byHand:
    "download https://github.com/bearpaw/clothing-co-parsing/archive/fe34fb77721a9973fbae92c05f7f12b664d10110.zip " +
    "elsewhere, unpack it here and give its folder with --data",
};

/**
 * An encoder's weights trained on ImageNet, as `keras.applications` publishes them.
 *
 * @param options.top with the layers that tell ImageNet's classes apart
 * @throws FetchError where none are published
 */
export function weightsSource(encoder: Encoder, { top = false }: { top?: boolean } = {}): FileSource {
  const published = encoder.weights?.[top ? "withTop" : "noTop"];
  if (published === undefined) {
    throw new FetchError(
      `No weights of ${encoder.title} are published: train it from random ones, or give a file with --weights.`,
    );
  }
  const { url, md5 } = published;
  return {
    name: url.slice(url.lastIndexOf("/") + 1),
    url,
    checksum: md5 === null ? null : { algorithm: "md5", hex: md5 },
    byHand: `download ${url} elsewhere, bring it here and give it with --weights`,
  };
}
