import { basename } from "node:path";
import { printSize } from "../image-size.ts";
import { sentencesOf } from "../data/remarks.ts";
import type { Remark } from "../data/remarks.ts";
import { FileError } from "../files/file-error.ts";
import type { ClassShare } from "../masks/class-shares.ts";
import { DecodedAhead } from "./decoded-ahead.ts";
import type { Decoded } from "./decoded-ahead.ts";
import { Finishing } from "./finishing.ts";
import type { CocoFile } from "./outline-files.ts";
import type { MaskPng } from "./mask-kinds.ts";
import type { Labelled, Labeller, Scored } from "./labeller.ts";
import { OUTPUTS } from "./output-kinds.ts";
import type { OutputKind } from "./output-kinds.ts";
import type { OutputSink } from "./output-sink.ts";
import { OutputThreads } from "./output-threads.ts";
import type { OutputsJob, WantedOutputs } from "./outputs.ts";
import type { PhotoToLabel } from "./photo-to-label.ts";
import { StageClock } from "./stage-clock.ts";
import type { StageTime } from "./stage-clock.ts";

export type { OutputSink } from "./output-sink.ts";
export type { PhotoToLabel } from "./photo-to-label.ts";

export interface PredictOptions {
  /** Which of the files are made that there are of each photo; all by default. The JSON, which comes last, marks a photo that is done. */
  readonly outputs?: readonly OutputKind[] | undefined;
  /** Whether the logits are written too, where there are any. */
  readonly logits?: boolean;
  /** What masks look like in a viewer; grey by default. */
  readonly maskPng?: MaskPng;
  /** Whether areas are written as polygons too. */
  readonly geoJson?: boolean;
  /** Gets the labels of all photos, to be written at the end. */
  readonly coco?: CocoFile | undefined;
  /** Told of each photo whose outputs are written. */
  readonly onDone?: (photo: PhotoToLabel, shares: readonly ClassShare[]) => void;
  /** Told of each photo that cannot be read or whose outputs cannot be written, in a sentence; the others are still done. */
  readonly onBad?: (photo: PhotoToLabel, sentence: string) => void;
  /** Told at the end, in a sentence each, what was decided in reading photos that can be read in two ways. */
  readonly onNote?: (sentence: string) => void;
  /** The threads that make the files, for who labels many times; its own by default, which are ended when the photos are done. */
  readonly threads?: OutputThreads | undefined;
  /** Ends the work after the photo in hand, or the windows in hand of one. */
  readonly signal?: AbortSignal | undefined;
}

/** The stages that photos go through. */
export const STAGES = ["decode", "network", "encode", "write"] as const;
export type Stage = (typeof STAGES)[number];

/** What came of photos that were to be labelled. */
export interface PredictOutcome {
  /** Photos whose outputs are written. */
  readonly labelled: number;
  /** Photos that could not be labelled; see {@link PredictOptions.onBad}. */
  readonly failed: number;
  /** From the beginning to the end of the last photo. */
  readonly seconds: number;
  /** How each stage spent them: reading and decoding, the network, making the files, writing them. */
  readonly stages: Readonly<Record<Stage, StageTime>>;
}

/**
 * Labels photos and writes what comes of them; files of the same names are replaced. The JSON comes last, an older one goes first, and so
 * it marks a photo that is done. Photos are asked for as they are needed, so there may be any number of them, and told of in their order.
 *
 * The stages work at the same time, each a few photos ahead of the next: photos are decoded and files compressed on the threads of sharp,
 * masks and overlays made in worker threads, which are started when there are more than two batches of photos.
 *
 * @throws FileError when an output cannot be written for a reason that holds for every photo, such as a full disk; the
 *   signal's reason when it is aborted; GpuError; what the iteration of `photos` throws. Photos whose files are being written are finished
 *   before that.
 */
export async function predictPhotos(
  labeller: Labeller,
  photos: Iterable<PhotoToLabel> | AsyncIterable<PhotoToLabel>,
  sink: OutputSink,
  options: PredictOptions = {},
): Promise<PredictOutcome> {
  const begin = performance.now();
  const clocks = {
    decode: new StageClock(),
    network: new StageClock(),
    encode: new StageClock(),
    write: new StageClock(),
  };
  const failing = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, failing.signal]) : failing.signal;
  let [labelled, failed] = [0, 0];
  const bad = (photo: PhotoToLabel, sentence: string): void => {
    failed += 1;
    options.onBad?.(photo, sentence);
  };
  const remarks: [string, readonly Remark[]][] = [];
  const batch = labeller.photosAtOnce;
  const decoded = new DecodedAhead(photos, { batch, clock: clocks.decode, signal });
  const { threads = new OutputThreads() } = options;
  const finishing = new Finishing({
    ...{ threads, sink, encoding: clocks.encode, writing: clocks.write, signal },
    onMade: (photo) => decoded.release(photo),
    onWritten: ({ from, photo }, { shares, areas }) => {
      labelled += 1;
      if (areas) options.coco?.add(basename(from.photo), photo, areas);
      options.onDone?.(from, shares);
    },
    onFailure: ({ from }, error) => {
      if (!isOfItsName(error)) throw error;
      bad(from, error.message);
    },
    onEnded: (error) => failing.abort(error),
  });
  try {
    let seen = 0;
    for (let items = await nextItems(); items.length > 0; items = await nextItems()) {
      const group = items.filter((item) => "photo" in item);
      seen += group.length;
      if (seen > 2 * batch) threads.start();
      await finishing.room(decoded.isTight ? 0 : undefined);
      signal.throwIfAborted();
      const found = await look(labeller, group, { clock: clocks.network, signal });
      signal.throwIfAborted();
      for (const item of items) {
        if ("sentence" in item) finishing.tell(() => bad(item.from, item.sentence));
        else finishing.add({ ...item, job: jobOf(labeller, item, found[group.indexOf(item)], options) });
      }
    }
    await finishing.end();
  } finally {
    try {
      await decoded.end();
    } finally {
      await finishing.abandon();
      if (threads !== options.threads) await threads.close();
    }
  }
  for (const sentence of sentencesOf(remarks)) options.onNote?.(sentence);
  const seconds = (performance.now() - begin) / 1000;
  const stages = Object.fromEntries(STAGES.map((stage) => [stage, clocks[stage].read(seconds)]));
  return { labelled, failed, seconds, stages: stages as Record<Stage, StageTime> };

  /** As many photos as the network takes at once, and those between them that cannot be labelled; fewer at the end, or where most are such. */
  async function nextItems(): Promise<Decoded[]> {
    const items: Decoded[] = [];
    for (let usable = 0; usable < batch && items.length < 4 * batch;) {
      const next = await decoded.next();
      if (next === undefined) break;
      const problem = "photo" in next ? labeller.problemOf?.(next.photo) : null;
      if ("photo" in next && problem) {
        decoded.release(next.photo);
        items.push({ from: next.from, sentence: `${next.from.photo} ${problem}` });
        continue;
      }
      items.push(next);
      if ("sentence" in next) continue;
      usable += 1;
      if (next.remarks.length > 0) remarks.push([next.from.photo, next.remarks]);
    }
    return items;
  }
}

type Usable = Extract<Decoded, { readonly photo: unknown }>;

async function look(
  labeller: Labeller,
  group: readonly Usable[],
  { clock, signal }: { clock: StageClock; signal: AbortSignal },
): Promise<readonly (Labelled | Scored)[]> {
  if (group.length === 0) return [];
  const photos = group.map(({ photo }) => photo);
  return clock.time<readonly (Labelled | Scored)[]>(
    () => (labeller.score ? labeller.score(photos, signal) : labeller.label(photos, signal)),
    photos.length,
  );
}

/** What is wrong with one file's name alone: the next photo's may be written. */
const OF_A_NAME = new Set(["ENAMETOOLONG", "EISDIR", "ENOTEMPTY", "EINVAL", "EILSEQ"]);

const isOfItsName = (error: unknown): error is FileError =>
  error instanceof FileError && OF_A_NAME.has((error.cause as NodeJS.ErrnoException | undefined)?.code ?? "");

function jobOf(
  { model: { file, imageSize, classNames }, precision, view }: Labeller,
  { from, photo }: Usable,
  found: Labelled | Scored,
  { outputs = OUTPUTS, maskPng = "grey", geoJson = false, coco, logits = false }: PredictOptions,
): OutputsJob {
  const wanted: WantedOutputs = { kinds: outputs, maskPng, geoJson, coco: coco !== undefined };
  return {
    ...{ photo, classNames, wanted },
    labels: "mask" in found ? { mask: found.mask } : { scores: found.scores, size: found.size },
    logits: logits && found.logits !== null ? { values: found.logits, size: imageSize } : null,
    report: {
      ...{ photo: from.photo, model: file, image_size: printSize(imageSize) },
      ...{ seen: view, precision },
    },
  };
}
