import { dirname, join } from "node:path";
import { makeFolder } from "../files/make-folder.ts";
import { fileMatches, sizeOf } from "./checksum.ts";
import { Downloader } from "./downloader.ts";
import type { DownloaderOptions } from "./downloader.ts";
import { FetchError, fileError } from "./fetch-error.ts";
import { isComplete, versionOf, writeMarker } from "./fetched.ts";
import { verifiedFiles } from "./git-tree.ts";
import type { FetchProgress } from "./progress.ts";
import type { FileSource, RepositorySource } from "./sources.ts";

export interface FetchOptions extends Pick<
  DownloaderOptions,
  "signal" | "attempts" | "retryDelayMs" | "silenceMs"
> {
  /** Where the files come to lie. */
  readonly folder: string;
  /** Path of the marker that says when all is there. */
  readonly marker: string;
  /** Looks at every file anew even where the marker says that all is there. */
  readonly force?: boolean | undefined;
  readonly progress?: FetchProgress | undefined;
}

export interface Fetched {
  /** Whether all was there before, so that nothing was asked of anybody. */
  readonly already: boolean;
}

/** Files under way at a time. */
const AT_A_TIME = 8;

/**
 * Brings the wanted files of a repository's tree: lists them, verifies the list by the tree's id, and each file by
 * the list. What is there already is kept, so that it can be stopped and called again at any time.
 * @throws FetchError when it cannot be done; the signal's reason when it is aborted.
 */
export async function fetchRepository(source: RepositorySource, options: FetchOptions): Promise<Fetched> {
  const { repository, commit, tree, api, raw, wanted, byHand } = source;
  const { folder, marker, progress, ...rest } = options;
  if (!options.force && (await isComplete(folder, marker, tree))) return { already: true };
  const failure = new AbortController();
  const downloader = new Downloader({
    ...rest,
    byHand,
    signal: rest.signal === undefined ? failure.signal : AbortSignal.any([rest.signal, failure.signal]),
    onBytes: (bytes, arrived) => progress?.bytes(bytes, arrived),
  });
  const listing = `${api}/repos/${repository}/git/trees/${tree}?recursive=1`;
  const answer = await downloader.text(listing);
  const files = verifiedFiles(answer, tree, new URL(api).host).filter(({ path }) => wanted(path));
  for (const parent of new Set(files.map(({ path }) => dirname(join(folder, path)))))
    await makeTarget(parent);

  progress?.start(
    files.length,
    files.reduce((sum, { bytes }) => sum + bytes, 0),
  );
  try {
    const left = files.values();
    const lane = async (): Promise<void> => {
      for (const { path, id, bytes } of left) {
        const url = `${raw}/${repository}/${commit}/${path}`;
        await downloader.file(
          { url, bytes, checksum: { algorithm: "git-blob", hex: id } },
          join(folder, path),
        );
        progress?.file();
      }
    };
    // After a failure the other lanes end at once and with the same reason.
    const lanes = Array.from({ length: AT_A_TIME }, () =>
      lane().catch((error: unknown) => failure.abort(error)),
    );
    await Promise.all(lanes);
    failure.signal.throwIfAborted();
  } finally {
    progress?.stop();
  }
  const sizes = Object.fromEntries(files.map(({ path, bytes }) => [path, bytes]));
  await writeMarker(marker, {
    source: `https://github.com/${repository}/tree/${commit}`,
    version: tree,
    files: sizes,
  });
  return { already: false };
}

/**
 * Brings one file, as `fetchRepository` does. How large it is the server says, and its digest too where none is published.
 * @throws FetchError when it cannot be done; the signal's reason when it is aborted.
 */
export async function fetchFile(source: FileSource, options: FetchOptions): Promise<Fetched> {
  const { name, url, checksum, byHand } = source;
  const { folder, marker, progress, ...rest } = options;
  if (!options.force && (await isComplete(folder, marker, versionOf(source)))) return { already: true };
  await makeTarget(folder);
  const path = join(folder, name);
  if (checksum === null || !(await fileMatches(path, { checksum }))) {
    const downloader = new Downloader({
      ...rest,
      byHand,
      onBytes: (bytes, arrived) => progress?.bytes(bytes, arrived),
    });
    const stated = await downloader.stated(url);
    const digest = checksum ?? stated.checksum;
    if (digest === undefined) {
      throw new FetchError(
        `Nobody can tell whether ${url} arrives whole: no digest of it is published, and ${new URL(url).host} does not ` +
          `say one; ${byHand}.`,
      );
    }
    progress?.start(1, stated.bytes);
    try {
      await downloader.file({ url, bytes: stated.bytes, checksum: digest }, path);
      progress?.file();
    } finally {
      progress?.stop();
    }
  }
  const files = { [name]: await sizeOf(path) };
  await writeMarker(marker, { source: url, version: versionOf(source), files });
  return { already: false };
}

/** @throws FetchError when the folder cannot be made */
async function makeTarget(folder: string): Promise<void> {
  try {
    await makeFolder(folder);
  } catch (error) {
    // As it is below /proc.
    if ((error as NodeJS.ErrnoException).code === "ENOENT")
      throw new FetchError(`Cannot write ${folder}: nothing can be made there; choose another folder.`);
    throw fileError(error, folder);
  }
}
