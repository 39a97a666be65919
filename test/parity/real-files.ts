/** Where the real data and weights lie: without them the whole network is not compared. */
export interface RealFiles {
  /** Folder with `images/` and `masks/`. */
  readonly data: string;
  /** Folder with DenseNet121 as a tfjs layers model, top included. */
  readonly weights: string;
}

/** The folders that the environment names, or one sentence saying why there is nothing to compare. */
export function realFiles(env: NodeJS.ProcessEnv = process.env): RealFiles | string {
  const { BESPOKE_DATA: data, BESPOKE_WEIGHTS: weights } = env;
  if (data && weights) return { data, weights };
  const missing = [
    !data && "BESPOKE_DATA (real photos and masks)",
    !weights && "BESPOKE_WEIGHTS (DenseNet121 for tfjs)",
  ];
  return `The whole network is not compared with tfjs: set ${missing.filter(Boolean).join(" and ")}.`;
}
