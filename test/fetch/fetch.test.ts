import { existsSync } from "node:fs";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { FetchError } from "../../src/fetch/fetch-error.ts";
import { fetchFile, fetchRepository } from "../../src/fetch/fetch.ts";
import type { FetchOptions } from "../../src/fetch/fetch.ts";
import {
  fetchedData,
  fetchedWeights,
  isComplete,
  versionOf,
  weightsMarker,
  writeMarker,
} from "../../src/fetch/fetched.ts";
import { verifiedFiles } from "../../src/fetch/git-tree.ts";
import { CLOTHING, weightsSource } from "../../src/fetch/sources.ts";
import type { RepositorySource } from "../../src/fetch/sources.ts";
import { ENCODERS } from "../../src/layers/networks/encoders.ts";
import { denseNet121, denseNet169 } from "../../src/layers/networks/densenet.ts";
import { folderOf } from "../data/folder.ts";
import { blobId, md5, send, serve } from "./server.ts";
import type { Answer } from "./server.ts";

/** A tree and the ids that git itself gave it: `a`, a folder, sorts after `a-b` and `a.txt`. */
const TREE = "813848a3b1413f35a195ee9e741e586955985c86";
const CONTENT: Record<string, Buffer> = {
  "a-b": Buffer.from("dash\n"),
  "a.txt": Buffer.from("dot\n"),
  "a/b": Buffer.from("x\n"),
  "annotations/pixel-level/0001.mat": Buffer.from("one\n"),
  "photos/0001.jpg": Buffer.from("hi\n"),
};
const FOLDERS = {
  a: "2b4c1d0c6f3c005f72eb2ecd2eb2a25edecf9a50",
  annotations: "27c5ff51503d71eb11f85a05a7eff74dfd96f603",
  "annotations/pixel-level": "3868e0303b9357a8d59dab8721bc5e602b96de8a",
  photos: "f89ca9bf8003f1d6976e28cdaf282265570f54f1",
};

interface Listing {
  sha: string;
  truncated: boolean;
  tree: { path: string; mode: string; type: string; sha: string; size?: number }[];
}

function listing(): Listing {
  const folders = Object.entries(FOLDERS).map(([path, sha]) => ({ path, mode: "040000", type: "tree", sha }));
  const files = Object.entries(CONTENT).map(([path, content]) => ({
    path,
    mode: path === "a-b" ? "100755" : "100644",
    type: "blob",
    sha: blobId(content),
    size: content.length,
  }));
  return { sha: TREE, truncated: false, tree: [...files, ...folders] };
}

const verify = (change: (answer: Listing) => void): (() => unknown) => {
  const answer = listing();
  change(answer);
  return () => verifiedFiles(JSON.stringify(answer), TREE, "HOST");
};

test("a list of files counts when it amounts to the tree's id", () => {
  const files = verify(() => undefined)();
  expect(files).toEqual(
    Object.entries(CONTENT).map(([path, content]) => ({ path, id: blobId(content), bytes: content.length })),
  );
  expect(verify((answer) => answer.tree.reverse())()).toHaveLength(5);
});

test("a list that was tampered with is refused", () => {
  const id = "0".repeat(40);
  const different =
    /^The list of files from HOST is not that of the published data set.*nothing is downloaded/;
  expect(verify(({ tree }) => (tree[0].sha = id))).toThrow(different);
  expect(verify(({ tree }) => (tree[3].sha = id))).toThrow(/its folder annotations/);
  expect(verify(({ tree }) => (tree[2].path = "a/c"))).toThrow(different);
  expect(verify(({ tree }) => (tree[0].mode = "100644"))).toThrow(different);
  expect(verify(({ tree }) => tree.pop())).toThrow(different);
  expect(verify(({ tree }) => tree.push({ ...tree[0], path: "z" }))).toThrow(different);
  expect(verify(({ tree }) => tree.push({ path: "z", mode: "040000", type: "tree", sha: id }))).toThrow(
    different,
  );
  expect(verify((answer) => (answer.truncated = true))).toThrow("is not whole");
  for (const text of ["", "<html>", "{}", '{"truncated": false, "tree": [{"path": "a"}]}']) {
    expect(() => verifiedFiles(text, TREE, "HOST")).toThrow(FetchError);
    expect(() => verifiedFiles(text, TREE, "HOST")).toThrow(
      /^The answer from HOST is no list of files \(.*\.$/,
    );
  }
});

/** A server of the tree above, and a source that wants everything in `photos` and `annotations` of it. */
async function repository(answer?: Answer, list = JSON.stringify(listing())) {
  const server = await serve((request, response, nth) => {
    const path = request.url!.replace("/owner/name/commit/", "");
    if (answer !== undefined && path in CONTENT) answer(request, response, nth);
    else if (path in CONTENT) send(request, response, CONTENT[path]);
    else if (path === `/repos/owner/name/git/trees/${TREE}?recursive=1`) response.end(list);
    else response.writeHead(404).end();
  });
  const source: RepositorySource = {
    repository: "owner/name",
    commit: "commit",
    tree: TREE,
    api: server.home,
    raw: server.home,
    wanted: (path) => /^(photos|annotations)\//.test(path),
    byHand: "get it by hand",
  };
  const folder = join(await folderOf(), "new", "clothing");
  const options: FetchOptions = { folder, marker: join(folder, "fetched.json"), retryDelayMs: 1 };
  return { server, source, options, folder };
}

test("brings the wanted files of a tree and says so last; then asks for nothing", async () => {
  const { server, source, options, folder } = await repository();
  const told: [string, number, number?][] = [];
  const progress = {
    start: (files: number, bytes: number) => void told.push(["start", files, bytes]),
    bytes: (count: number) => void told.push(["bytes", count]),
    file: () => void told.push(["file", 1]),
    stop: () => void told.push(["stop", 0]),
  };
  expect(await fetchRepository(source, { ...options, progress })).toEqual({ already: false });
  expect(await readFile(join(folder, "photos/0001.jpg"))).toEqual(CONTENT["photos/0001.jpg"]);
  expect((await readdir(folder)).sort()).toEqual(["annotations", "fetched.json", "photos"]);
  expect(told[0]).toEqual(["start", 2, 7]);
  expect(told.filter(([what]) => what === "bytes").reduce((sum, [, count]) => sum + count, 0)).toBe(7);
  expect(told.at(-1)).toEqual(["stop", 0]);
  expect(server.requests).toHaveLength(3);

  expect(await fetchRepository(source, options)).toEqual({ already: true });
  expect(server.requests).toHaveLength(3);
});

test("brings again what is missing or, when forced, what was changed", async () => {
  const { server, source, options, folder } = await repository();
  await fetchRepository(source, options);
  await rm(join(folder, "photos/0001.jpg"));
  expect(await isComplete(folder, options.marker, TREE)).toBe(false);
  await fetchRepository(source, options);
  expect(server.requests.slice(3)).toEqual([
    `/repos/owner/name/git/trees/${TREE}?recursive=1`,
    "/owner/name/commit/photos/0001.jpg",
  ]);
  await writeFile(join(folder, "photos/0001.jpg"), "ho\n");
  expect(await fetchRepository(source, options)).toEqual({ already: true });
  expect(await fetchRepository(source, { ...options, force: true })).toEqual({ already: false });
  expect(await readFile(join(folder, "photos/0001.jpg"), "utf8")).toBe("hi\n");
});

test("one failure ends all, and leaves no marker", async () => {
  const { source, options, folder } = await repository((request, response) => {
    // The other file would never come.
    if (request.url!.endsWith(".mat")) setTimeout(() => response.writeHead(404).end(), 50);
  });
  await expect(fetchRepository(source, options)).rejects.toThrow(/0001\.mat cannot be had .* answers 404/);
  expect(existsSync(options.marker)).toBe(false);
  expect(await isComplete(folder, options.marker, TREE)).toBe(false);
});

test("a tampered list or file is not taken", async () => {
  const list = listing();
  list.tree.find(({ path }) => path === "photos/0001.jpg")!.sha = blobId(Buffer.from("ho\n"));
  const tampered = await repository(undefined, JSON.stringify(list));
  await expect(fetchRepository(tampered.source, tampered.options)).rejects.toThrow(
    "is not that of the published",
  );
  expect(tampered.server.requests).toHaveLength(1);
  expect(existsSync(tampered.folder)).toBe(false);

  const swapped = await repository((_, response) => response.end("ho\n"));
  await expect(fetchRepository(swapped.source, swapped.options)).rejects.toThrow("its checksum is wrong");
  expect(existsSync(join(swapped.folder, "photos/0001.jpg"))).toBe(false);
});

test("stopped, it ends with the reason and goes on later", async () => {
  let stuck = true;
  const stop = new AbortController();
  const { source, options, server } = await repository((request, response) => {
    if (request.url!.endsWith(".mat") && stuck) stop.abort(new Error("Interrupted."));
    else send(request, response, CONTENT[request.url!.replace("/owner/name/commit/", "")]);
  });
  await expect(fetchRepository(source, { ...options, signal: stop.signal })).rejects.toThrow("Interrupted.");
  expect(existsSync(options.marker)).toBe(false);
  stuck = false;
  expect(await fetchRepository(source, options)).toEqual({ already: false });
  expect(server.requests.length).toBeGreaterThanOrEqual(4);
});

/** A server of one file, which states its digest as Google's storage does where it is told to. */
async function weightsServer(content: Buffer, { states = false } = {}) {
  const server = await serve((request, response) => {
    if (states) response.setHeader("x-goog-hash", `crc32c=AAAAAA==, md5=${base64(content)}`);
    send(request, response, content);
  });
  const source = { name: "w.h5", url: `${server.home}/w.h5`, byHand: "get it by hand" } as const;
  const checksum = { algorithm: "md5", hex: md5(content) } as const;
  const folder = await folderOf();
  return { server, source, checksum, options: { folder, marker: join(folder, "w.h5.fetched.json") } };
}
const base64 = (content: Buffer): string => Buffer.from(md5(content), "hex").toString("base64");

test("brings one file, or takes the one that lies there", async () => {
  const content = Buffer.from("weights");
  const { server, checksum, options, ...rest } = await weightsServer(content);
  const source = { ...rest.source, checksum };
  const told: [number, number][] = [];
  const progress = {
    start: (files: number, bytes: number) => void told.push([files, bytes]),
    bytes: () => undefined,
    file: () => undefined,
    stop: () => undefined,
  };
  expect(await fetchFile(source, { ...options, progress })).toEqual({ already: false });
  expect(await fetchFile(source, options)).toEqual({ already: true });
  expect(told).toEqual([[1, content.length]]);
  // One asks how large it is.
  expect(server.requests).toHaveLength(2);
  const other = await folderOf({ "w.h5": content });
  const marker = join(other, "w.h5.fetched.json");
  expect(await fetchFile(source, { folder: other, marker })).toEqual({ already: false });
  expect(await isComplete(other, marker, source.checksum.hex)).toBe(true);
  expect(server.requests).toHaveLength(2);
});

test("a file without a published digest is held against what the server states", async () => {
  const content = Buffer.from("weights");
  const { server, source, options } = await weightsServer(content, { states: true });
  const unpinned = { ...source, checksum: null };
  await writeFile(join(options.folder, "w.h5"), "another");
  expect(await fetchFile(unpinned, options)).toEqual({ already: false });
  expect(await readFile(join(options.folder, "w.h5"))).toEqual(content);
  expect(await fetchFile(unpinned, options)).toEqual({ already: true });
  expect(server.requests).toHaveLength(2);

  const silent = await weightsServer(content);
  await expect(fetchFile({ ...silent.source, checksum: null }, silent.options)).rejects.toThrow(
    /^Nobody can tell whether \S+w\.h5 arrives whole: no digest of it is published, and 127\S+ does not say one; get it by hand\.$/,
  );
  expect(existsSync(silent.options.marker)).toBe(false);
});

test("every encoder's files have a digest or none, and names of their own", () => {
  const sources = ENCODERS.filter(({ weights }) => weights !== null).flatMap((encoder) =>
    [false, true].map((top) => weightsSource(encoder, { top })),
  );
  expect(new Set(sources.map(({ name }) => name)).size).toBe(sources.length);
  expect(new Set(sources.map((source) => versionOf(source))).size).toBe(sources.length);
  for (const { name, url, checksum } of sources) {
    expect(url).toMatch(/^https:\/\/storage\.googleapis\.com\/.+\.h5$/);
    expect(url.endsWith(`/${name}`)).toBe(true);
    expect(checksum?.hex ?? "0".repeat(32)).toMatch(/^[0-9a-f]{32}$/);
  }
  expect(weightsSource(denseNet121).checksum?.hex).toBe("30ee3e1110167f948a6b9946edeeb738");
  const unpublished = { ...denseNet121, weights: null };
  expect(() => weightsSource(unpublished)).toThrow("No weights of DenseNet121 are published");
});

test("fetchedData and fetchedWeights tell where whole, verified ones lie", async () => {
  const [notop, whole] = [weightsSource(denseNet169), weightsSource(denseNet169, { top: true })];
  const root = await folderOf({
    "clothing-co-parsing/photos/0001.jpg": "hi\n",
    [notop.name]: "weights",
    [whole.name]: "weights",
  });
  const weights = (): Promise<string | null> => fetchedWeights(denseNet169, root);
  expect([await fetchedData(root), await weights()]).toEqual([null, null]);
  const folder = join(root, "clothing-co-parsing");
  const files = { "photos/0001.jpg": 3 };
  await writeMarker(join(folder, "fetched.json"), { source: "s", version: CLOTHING.tree, files });
  for (const source of [whole, notop]) {
    await writeMarker(weightsMarker(root, source), {
      source: "s",
      version: source.checksum!.hex,
      files: { [source.name]: 7 },
    });
    expect(await weights()).toBe(join(root, source.name));
  }
  expect(await fetchedData(root)).toBe(folder);
  expect(await fetchedWeights(denseNet121, root)).toBe(null);
  await writeMarker(join(folder, "fetched.json"), { source: "s", version: "another", files });
  await writeFile(join(root, notop.name), "cut");
  expect([await fetchedData(root), await weights()]).toEqual([null, join(root, whole.name)]);
  await writeFile(join(root, whole.name), "cut");
  expect(await weights()).toBe(null);
  await writeFile(join(folder, "fetched.json"), "{");
  expect(await fetchedData(root)).toBe(null);
});

test("of the clothing data set the tutorial's thousand pairs are wanted, and nothing else", () => {
  const wanted = [
    "photos/0001.jpg",
    "photos/1000.jpg",
    "annotations/pixel-level/1000.mat",
    "label_list.mat",
    "LICENSE",
  ];
  const unwanted = [
    "photos/1001.jpg",
    "annotations/pixel-level/1004.mat",
    "annotations/image-level/1005.mat",
  ];
  expect(wanted.filter((path) => !CLOTHING.wanted(path))).toEqual([]);
  expect([...unwanted, "example.jpg", "photos/../0001.jpg"].filter(CLOTHING.wanted)).toEqual([]);
});
