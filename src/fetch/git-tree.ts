import { createHash } from "node:crypto";
import { z } from "zod";
import { FetchError } from "./fetch-error.ts";
import { messageOf } from "../message-of.ts";

/** A file in a git tree. */
export interface GitFile {
  /** With `/`, from the tree's root. */
  readonly path: string;
  /** Its blob's id. */
  readonly id: string;
  readonly bytes: number;
}

const listingSchema = z.object({
  truncated: z.boolean(),
  tree: z.array(
    z.object({
      path: z.string().min(1),
      mode: z.string().regex(/^\d{6}$/),
      type: z.enum(["blob", "tree", "commit"]),
      sha: z.string().regex(/^[0-9a-f]{40}$/),
      size: z.number().int().nonnegative().optional(),
    }),
  ),
});
type Entry = z.infer<typeof listingSchema>["tree"][number];

/**
 * The files of a tree, out of GitHub's answer to `git/trees/ID?recursive=1`, verified: each folder's id is computed
 * anew from the names, modes and ids in it, so that the answer stands or falls with the root's id ("Git Internals",
 * Pro Git, chapter 10.2). Sizes are not part of a tree; a blob's id covers its own.
 * @param source what the answer is called in messages.
 * @throws FetchError when it is no such answer or does not amount to the tree `id`.
 */
export function verifiedFiles(answer: string, id: string, source: string): GitFile[] {
  const { truncated, tree } = parse(answer, source);
  if (truncated)
    throw new FetchError(`The list of files from ${source} is not whole: run the same command again later.`);
  const folders = new Map<string, Entry[]>([["", []]]);
  for (const entry of tree) if (entry.type === "tree") folders.set(entry.path, []);
  for (const entry of tree) {
    const parent = folders.get(entry.path.slice(0, Math.max(entry.path.lastIndexOf("/"), 0)));
    parent?.push(entry);
  }
  const idOf = (folder: string): string => treeId(folders.get(folder)!);
  const wrong = tree.find((entry) => entry.type === "tree" && idOf(entry.path) !== entry.sha);
  if (wrong !== undefined || idOf("") !== id) {
    const where = wrong === undefined ? "" : ` (its folder ${wrong.path} differs)`;
    throw new FetchError(
      `The list of files from ${source} is not that of the published data set${where}: nothing is downloaded; ` +
        `something on the way has changed it, so try again over another connection.`,
    );
  }
  return tree
    .filter(({ type }) => type === "blob")
    .map(({ path, sha, size = 0 }) => ({ path, id: sha, bytes: size }));
}

function parse(answer: string, source: string): z.infer<typeof listingSchema> {
  try {
    return listingSchema.parse(JSON.parse(answer));
  } catch (error) {
    const why = error instanceof z.ZodError ? error.issues[0].message : messageOf(error);
    throw new FetchError(
      `The answer from ${source} is no list of files (${why}): run the same command again, over another connection ` +
        `if need be.`,
      { cause: error },
    );
  }
}

/** The id of a git tree with these entries; folders sort as if their names ended in a slash. */
function treeId(entries: readonly Entry[]): string {
  const sorted = entries
    .map(({ path, mode, type, sha }) => {
      const name = Buffer.from(path.slice(path.lastIndexOf("/") + 1));
      return {
        name,
        mode: mode.replace(/^0/, ""),
        sha,
        key: type === "tree" ? Buffer.concat([name, SLASH]) : name,
      };
    })
    .sort((a, b) => Buffer.compare(a.key, b.key));
  const body = Buffer.concat(
    sorted.flatMap(({ name, mode, sha }) => [Buffer.from(`${mode} `), name, ZERO, Buffer.from(sha, "hex")]),
  );
  return createHash("sha1").update(`tree ${body.length}\0`).update(body).digest("hex");
}

const SLASH = Buffer.from("/");
const ZERO = Buffer.from([0]);
