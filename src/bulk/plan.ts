import { createReadStream } from "node:fs";
import { link, open, rename, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";
import { count } from "../data/data-error.ts";
import { syncFolder } from "../files/atomic-write.ts";
import { withTemporary } from "../files/temporary.ts";
import { fileError } from "../files/transfer.ts";
import { BulkError } from "./bulk-error.ts";
import { tarPaths } from "./divide-tars.ts";
import { rootName, SHARD_SIZE, shardSchema } from "./shard.ts";
import type { BulkInputs, Shard } from "./shard.ts";
import { shardsOf } from "./shards-of.ts";

/** The name of the file with all shards, in the folder of the outputs. */
export const PLAN = "shards.jsonl";

const headSchema = z.strictObject({
  version: z.literal(1),
  inputs: z.array(z.string()),
  stamp: z.string().nullable(),
  size: z.int().min(1),
});
const footSchema = z.strictObject({ shards: z.int(), entries: z.int().nullable(), passed_over: z.int() });

type Head = z.infer<typeof headSchema>;

/** How the photos that are to be labelled were divided, which is written down once for all who work on them. */
export interface Plan {
  /** Photos a shard. */
  readonly size: number;
  /** How many shards there are. */
  readonly count: number;
  /** Lines of the list that name something; null of archives, which nobody has counted. */
  readonly entries: number | null;
  /** Files of a folder that are no photos. */
  readonly passedOver: number;
  /** All of them, in order; read as they are asked for. */
  shards(): AsyncGenerator<Shard>;
}

export interface PlanOptions {
  /** The folder of the outputs, which must be there. */
  readonly out: string;
  /** Photos a shard; as the plan that is there has it, else {@link SHARD_SIZE}, and fewer where there would be fewer shards than parts. */
  readonly size?: number | undefined;
  /** Among how many workers the shards are to be shared out. */
  readonly parts?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The plan in `out`; where there is none, or the list has changed since, it is made in one pass over the inputs. Of a folder it holds the
 * photos that were there the first time.
 *
 * @throws BulkError when `out` was begun with other inputs or shards of another size, or as {@link shardsOf} does; FileError.
 */
export async function openPlan(inputs: BulkInputs, options: PlanOptions): Promise<Plan> {
  const { out, size } = options;
  const head = { inputs: namesOf(inputs), stamp: await stampOf(inputs) };
  const there = await readHead(out);
  if (there !== null) {
    refuseOther(out, there, head.inputs, size);
    if (there.stamp === head.stamp) return read(out, inputs);
  }
  const chosen = size ?? there?.size ?? (await sizeFor(inputs, options));
  await writePlan(inputs, { version: 1, ...head, size: chosen }, options);
  return read(out, inputs);
}

/**
 * The plan that a folder of outputs was begun with. Its shards say what their list, its root and their archive are called, not where they lie.
 *
 * @throws BulkError when there is none.
 */
export async function readPlan(out: string): Promise<Plan> {
  if ((await readHead(out)) === null) {
    throw new BulkError(
      `There is no ${PLAN} in ${out}, so no shards were begun there: give the --out of predict --list, --tar or --shard.`,
    );
  }
  return read(out);
}

/** By name, so that it is the same plan where the inputs are mounted elsewhere. */
function namesOf(inputs: BulkInputs): string[] {
  if ("list" in inputs)
    return ["list", basename(inputs.list), ...(inputs.root === undefined ? [] : [rootName(inputs.root)])];
  if ("folder" in inputs) return ["folder", basename(resolve(inputs.folder))];
  return ["tars", ...inputs.tars.map((path) => basename(path))];
}

/** A list that was written anew has another one. */
async function stampOf(inputs: BulkInputs): Promise<string | null> {
  if (!("list" in inputs)) return null;
  try {
    const { size, mtimeMs } = await stat(inputs.list);
    return `${size} ${Math.round(mtimeMs)}`;
  } catch (error) {
    throw fileError(error, "read", inputs.list);
  }
}

function refuseOther(out: string, there: Head, inputs: readonly string[], size: number | undefined): void {
  const begun = `${join(out, PLAN)} says that ${out} was begun with`;
  if (there.inputs.join("\n") !== inputs.join("\n"))
    throw new BulkError(
      `${begun} ${there.inputs.join(" ").trim()}, not ${inputs.join(" ").trim()}: give another --out.`,
    );
  if (size !== undefined && size !== there.size)
    throw new BulkError(
      `${begun} ${count(there.size, "photo")} a shard, not ${size}: leave --shard-size out, or give another --out.`,
    );
}

/** As many as usual, but fewer where some of those who share the shards would get none. */
async function sizeFor(inputs: BulkInputs, { out, parts = 1, signal }: PlanOptions): Promise<number> {
  if (parts === 1 || "tars" in inputs) return SHARD_SIZE;
  let [shards, entries] = [0, 0];
  for await (const shard of shardsOf(inputs, { out, signal })) {
    shards += 1;
    if ("list" in shard) entries += shard.list.entries;
    if (shards > parts) return SHARD_SIZE;
  }
  return Math.min(SHARD_SIZE, Math.ceil(entries / parts));
}

async function writePlan(inputs: BulkInputs, head: Head, { out, signal }: PlanOptions): Promise<void> {
  const path = join(out, PLAN);
  try {
    await withTemporary(path, async (temporary) => {
      const file = await open(temporary, "wx");
      try {
        let block = `${JSON.stringify(head)}\n`;
        let shards = 0;
        let entries: number | null = 0;
        let passedOver = 0;
        const onPassedOver = (files: number): void => void (passedOver = files);
        for await (const shard of shardsOf(inputs, { out, size: head.size, signal, onPassedOver })) {
          shards += 1;
          entries = "list" in shard && entries !== null ? entries + shard.list.entries : null;
          block += `${JSON.stringify(named(shard))}\n`;
          if (block.length < 2 ** 16) continue;
          await file.writeFile(block);
          block = "";
        }
        await file.writeFile(`${block}${JSON.stringify({ shards, entries, passed_over: passedOver })}\n`);
        await file.sync();
      } finally {
        await file.close();
      }
      await place(temporary, path, "folder" in inputs);
    });
  } catch (error) {
    throw fileError(error, "write", path);
  }
  await syncFolder(out);
}

/** Of a folder, in which photos may come and go, the first plan stays. */
async function place(temporary: string, path: string, first: boolean): Promise<void> {
  if (!first) return rename(temporary, path);
  await link(temporary, path).catch(async (error: NodeJS.ErrnoException) => {
    // Else the file system has no links.
    if (error.code !== "EEXIST") await rename(temporary, path);
  });
}

async function readHead(out: string): Promise<Head | null> {
  for await (const line of linesOf(join(out, PLAN))) return parsed(out, headSchema, line);
  return null;
}

async function read(out: string, inputs?: BulkInputs): Promise<Plan> {
  const path = join(out, PLAN);
  const { shards, entries, passed_over: passedOver } = parsed(out, footSchema, await lastLine(path));
  const { size } = (await readHead(out))!;
  return {
    ...{ size, count: shards, entries, passedOver },
    async *shards() {
      const archives = inputs !== undefined && "tars" in inputs ? [...tarPaths(inputs.tars)] : [];
      let line = 0;
      for await (const text of linesOf(path)) {
        const isShard = line > 0 && line <= shards;
        line += 1;
        if (!isShard) continue;
        const shard = parsed(out, shardSchema, text);
        yield inputs === undefined ? shard : placed(shard, out, inputs, archives);
      }
    },
  };
}

/** As it is written down: by names, so that a plan says nothing of where its inputs are mounted. */
function named(shard: Shard): Shard {
  if ("tar" in shard) return { ...shard, tar: { ...shard.tar, path: basename(shard.tar.path) } };
  const { list } = shard;
  return { ...shard, list: { ...list, path: basename(list.path), root: rootName(list.root) } };
}

/** Where the inputs lie for whoever reads the plan. */
function placed(shard: Shard, out: string, inputs: BulkInputs, archives: readonly string[]): Shard {
  if ("tar" in shard)
    return { ...shard, tar: { ...shard.tar, path: archives[shard.index] ?? shard.tar.path } };
  if ("tars" in inputs) return shard;
  const { list } = shard;
  const path = "folder" in inputs ? resolve(out, list.path) : resolve(inputs.list);
  const root = "folder" in inputs ? resolve(inputs.folder) : (inputs.root ?? dirname(path));
  return { ...shard, list: { ...list, path, root } };
}

function parsed<T>(out: string, schema: z.ZodType<T>, line: string): T {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    value = undefined;
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new BulkError(
    `${join(out, PLAN)} is not as it was written: remove it, and it is made anew from the photos by the next who works on them.`,
  );
}

/** Nothing where there is no such file. */
async function* linesOf(path: string): AsyncGenerator<string> {
  const stream = createReadStream(path);
  try {
    yield* createInterface({ input: stream, crlfDelay: Infinity });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw fileError(error, "read", path);
  } finally {
    stream.destroy();
  }
}

/** Bytes that the last line of a plan has at most. */
const LAST = 1024;

async function lastLine(path: string): Promise<string> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const { buffer, bytesRead } = await file.read(Buffer.alloc(LAST), 0, LAST, Math.max(0, size - LAST));
    return buffer.subarray(0, bytesRead).toString().trimEnd().split("\n").at(-1)!;
  } finally {
    await file.close();
  }
}
