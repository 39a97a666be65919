import { count } from "../data/data-error.ts";
import { printSize } from "../image-size.ts";
import type { Labeller } from "../use/labeller.ts";
import { predictPhotos } from "../use/predict.ts";
import type { PredictOutcome } from "../use/predict.ts";
import type { PhotoToLabel } from "../use/photo-to-label.ts";
import { BulkError } from "./bulk-error.ts";
import type { BulkPhoto, Found } from "./bulk-photo.ts";
import { doneBefore } from "./done-before.ts";
import { removeLeftoversOnce } from "./leftovers.ts";
import { listPhotos } from "./list-photos.ts";
import { sourceOf } from "./manifest.ts";
import type { ShardManifest, ShardSettings } from "./manifest.ts";
import { modelDigest } from "./model-digest.ts";
import { isPassing } from "./passing-error.ts";
import { placesOf } from "./places.ts";
import type { OutputsAs } from "./outputs-as.ts";
import { ShardWriter } from "./shard-writer.ts";
import type { Shard } from "./shard.ts";
import { Stems } from "./stems.ts";
import { tarPhotos } from "./tar-photos.ts";
import { WEB_LIMITS, WebPhotos } from "./fetch-photo.ts";
import type { WebLimits } from "./fetch-photo.ts";
import type { MaskPng } from "../use/mask-kinds.ts";
import { OUTPUTS } from "../use/output-kinds.ts";
import type { OutputKind } from "../use/output-kinds.ts";
import type { OutputThreads } from "../use/output-threads.ts";

export interface WorkOptions {
  /** The folder of all shards' outputs, which must be there. */
  readonly out: string;
  /** `files` by default. */
  readonly outputsAs?: OutputsAs | undefined;
  /** Which of the files are made that there are of each photo; all by default. */
  readonly outputs?: readonly OutputKind[] | undefined;
  /** Whether the logits are written too, where there are any. */
  readonly logits?: boolean | undefined;
  /** What masks look like in a viewer; grey by default. */
  readonly maskPng?: MaskPng | undefined;
  /** Whether areas are written as polygons too. */
  readonly geoJson?: boolean | undefined;
  /** The threads that make the files, for who works on many shards; each shard's own by default. */
  readonly threads?: OutputThreads | undefined;
  /** What a photo of the web may take. */
  readonly web?: Partial<WebLimits> | undefined;
  /** Ends the work with its reason; nothing is left of the shard then. */
  readonly signal?: AbortSignal | undefined;
  /** Told of each photo that is labelled, or not and why. */
  readonly onPhoto?: ((photo: PhotoToLabel, failure: string | null) => void) | undefined;
  /** Told, in a sentence each, what was decided in reading photos that can be read in two ways. */
  readonly onNote?: ((sentence: string) => void) | undefined;
  /** Told how long each stage of labelling had photos in hand. */
  readonly onStages?: ((stages: PredictOutcome["stages"]) => void) | undefined;
  /** Told when the shard was done before, and nothing is left to do. */
  readonly onDoneBefore?: (() => void) | undefined;
}

/**
 * Labels the photos of a shard. All of its outputs come to their place at once, with a manifest; so a process that is killed leaves nothing
 * that could be taken for a result, and a shard that is done is not done again. Two processes may work on one shard: what the
 * first one makes stays. A photo that cannot be labelled stops nothing: it is in the manifest with the reason. Where the reason may pass (a
 * server that is busy), the shard is done anew the next time.
 *
 * @returns the manifest that is there now
 * @throws BulkError when the shard was done before of other photos, with another model or with other settings, when its list or
 *   archive is not what it was, or when no photo of it could be read; FileError when its outputs cannot be written; the
 *   signal's reason; GpuError.
 */
export async function workShard(
  labeller: Labeller,
  shard: Shard,
  options: WorkOptions,
): Promise<ShardManifest> {
  const { out, outputsAs = "files", signal } = options;
  const places = placesOf(out, shard);
  const settings = await settingsOf(labeller, options);
  const done = (): Promise<ShardManifest | null> =>
    doneBefore(places, { shard: shard.id, settings, outputsAs }, signal);
  const before = await done();
  if (before !== null) {
    options.onDoneBefore?.();
    return before;
  }
  await removeLeftoversOnce(out);
  return ShardWriter.with(places, async (writer) => {
    const worked = await label(labeller, shard, writer, options);
    const manifest = { version: 1, shard: shard.id, source: sourceOf(shard), settings, ...worked } as const;
    return outputsAs === "tar"
      ? writer.commitArchive(manifest, places, done)
      : writer.commitFolder(manifest, places, done);
  });
}

/** What was decided for a labeller's outputs. */
export async function settingsOf(
  { model, view, precision }: Labeller,
  {
    outputs = OUTPUTS,
    logits = false,
    maskPng = "grey",
    geoJson = false,
  }: Pick<WorkOptions, "outputs" | "logits" | "maskPng" | "geoJson">,
): Promise<ShardSettings> {
  return {
    model: await modelDigest(model),
    image_size: printSize(model.imageSize),
    seen: view,
    precision,
    outputs: OUTPUTS.filter((kind) => outputs.includes(kind)).join(","),
    mask_png: maskPng,
    geojson: geoJson,
    logits,
  };
}

type Worked = Pick<ShardManifest, "photos" | "failures" | "passed_over">;

async function label(
  labeller: Labeller,
  shard: Shard,
  writer: ShardWriter,
  options: WorkOptions,
): Promise<Worked> {
  const { outputs, logits, maskPng, geoJson, threads, signal, onPhoto, onNote } = options;
  const met: BulkPhoto[] = [];
  const failures = new Map<PhotoToLabel, string>();
  const passing = new Set<PhotoToLabel>();
  let [passedOver, unread] = [0, 0];
  const photos = async function* (): AsyncGenerator<BulkPhoto> {
    for await (const found of photosOf(shard, options)) {
      if (found.kind === "passed-over") {
        passedOver += 1;
        continue;
      }
      const { photo } = found;
      const watched: BulkPhoto = {
        ...photo,
        read: (ended) =>
          photo.read(ended).catch((error: unknown) => {
            unread += 1;
            if (isPassing(error)) passing.add(watched);
            throw error;
          }),
      };
      met.push(watched);
      yield watched;
    }
  };
  const { stages } = await predictPhotos(labeller, photos(), writer, {
    ...{ outputs, logits, maskPng, geoJson, threads, signal, onNote },
    onDone: (photo) => onPhoto?.(photo, null),
    onBad: (photo, sentence) => {
      failures.set(photo, sentence);
      onPhoto?.(photo, sentence);
    },
  });
  options.onStages?.(stages);
  refuseNothing(shard, { met, unread, failures });
  for (const photo of failures.keys()) await writer.discard(photo.stem);
  return {
    photos: met
      .filter((photo) => !failures.has(photo))
      .map((photo) => ({ ...named(photo), outputs: writer.outputsOf(photo.stem) })),
    failures: met.flatMap((photo) => {
      const reason = failures.get(photo);
      return reason === undefined ? [] : [{ ...named(photo), reason, passing: passing.has(photo) }];
    }),
    passed_over: passedOver,
  };
}

const named = ({ photo, line }: BulkPhoto): { photo: string; line?: number } =>
  line === undefined ? { photo } : { photo, line };

/** A folder that is not mounted must not pass for one of photos that are gone. */
function refuseNothing(
  shard: Shard,
  {
    met,
    unread,
    failures,
  }: { met: readonly BulkPhoto[]; unread: number; failures: ReadonlyMap<unknown, string> },
): void {
  if (met.length < 2 || unread < met.length) return;
  const [first] = failures.values();
  throw new BulkError(
    `None of ${count(met.length, "photo")} of ${shard.id} could be read, the first because: ${first} Nothing is written; see ` +
      "that the photos are where the list says, and begin again.",
  );
}

function photosOf(shard: Shard, { outputsAs, web, signal }: WorkOptions): AsyncIterable<Found> {
  const stems = new Stems({ dots: outputsAs !== "tar" });
  return "tar" in shard
    ? tarPhotos(shard.tar, stems, { largest: web?.largest ?? WEB_LIMITS.largest }, signal)
    : listPhotos(shard.list, { stems, web: new WebPhotos(web) }, signal);
}
