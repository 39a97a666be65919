import type { RemoteFile } from "./downloader.ts";

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
export interface FileSource extends RemoteFile {
  readonly name: string;
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

const WEIGHTS_FILE = "densenet121_weights_tf_dim_ordering_tf_kernels_notop.h5";
const WEIGHTS_URL = `https://storage.googleapis.com/tensorflow/keras-applications/densenet/${WEIGHTS_FILE}`;

/** DenseNet121 trained on ImageNet, without its top; the checksum is Keras's `file_hash` (keras/applications/densenet.py). */
export const WEIGHTS: FileSource = {
  name: WEIGHTS_FILE,
  url: WEIGHTS_URL,
  bytes: 29_084_464,
  checksum: { algorithm: "md5", hex: "30ee3e1110167f948a6b9946edeeb738" },
  byHand: `download ${WEIGHTS_URL} elsewhere, bring it here and give it with --weights`,
};
