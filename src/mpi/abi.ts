/**
 * @file The functions of MPI that are used, by the standard ABI of MPI 5 (chapter 20): its handles are numbers that every
 * implementation agrees on, so one binary works with all. MPICH 5, Open MPI 6 and Intel MPI bring it as `libmpi_abi`.
 */
import type Koffi from "koffi";
import { loadKoffi } from "../load-koffi.ts";
import { messageOf } from "../message-of.ts";
import { MpiError } from "./mpi-error.ts";

/** What a handle or a constant address is to a foreign function. */
const HANDLE = "uintptr_t";

/** Handles of the standard ABI. */
export const MPI = {
  COMM_WORLD: 0x101,
  ERRORS_RETURN: 0x143,
  BYTE: 0x247,
  FLOAT: 0x210,
  DOUBLE: 0x214,
  UINT32_T: 0x251,
  SUM: 0x21,
  MIN: 0x22,
  MAX: 0x23,
  /** An address, in place of a buffer to send. */
  IN_PLACE: 1,
  /** An address. */
  STATUS_IGNORE: 0,
  ANY_SOURCE: -1,
  THREAD_MULTIPLE: 4096,
  SUCCESS: 0,
  MAX_ERROR_STRING: 512,
} as const;

type Callback = (error: Error | null, code: number) => void;

/** A foreign function: it blocks, or with `async` works in a thread of its own. */
interface Foreign {
  (...args: unknown[]): number;
  async(...args: [...unknown[], Callback]): void;
}

const SIGNATURES = {
  MPI_Initialized: ["_Out_ int *"],
  MPI_Init_thread: ["void *", "void *", "int", "_Out_ int *"],
  MPI_Finalize: [],
  MPI_Abort: [HANDLE, "int"],
  MPI_Comm_set_errhandler: [HANDLE, HANDLE],
  MPI_Comm_rank: [HANDLE, "_Out_ int *"],
  MPI_Comm_size: [HANDLE, "_Out_ int *"],
  MPI_Error_string: ["int", "void *", "_Out_ int *"],
  MPI_Ibarrier: [HANDLE, "void *"],
  MPI_Test: ["void *", "void *", HANDLE],
  MPI_Allreduce: [HANDLE, "void *", "int", HANDLE, HANDLE, HANDLE],
  MPI_Allgather: ["void *", "int", HANDLE, "void *", "int", HANDLE, HANDLE],
  MPI_Allgatherv: ["void *", "int", HANDLE, "void *", "int *", "int *", HANDLE, HANDLE],
  MPI_Alltoallv: [...["void *", "int *", "int *", HANDLE], ...["void *", "int *", "int *", HANDLE, HANDLE]],
  MPI_Send: ["void *", "int", HANDLE, "int", "int", HANDLE],
  MPI_Iprobe: ["int", "int", HANDLE, "_Out_ int *", HANDLE],
} as const satisfies Readonly<Record<string, readonly string[]>>;

type Name = keyof typeof SIGNATURES;

/** MPI's functions, by their names without `MPI_`; each throws an {@link MpiError} where MPI reports an error. */
export class MpiFunctions {
  readonly #functions: Readonly<Record<Name, Foreign>>;
  readonly #held = new Set<readonly unknown[]>();

  private constructor(functions: Readonly<Record<Name, Foreign>>) {
    this.#functions = functions;
  }

  /**
   * Loads a library by its path, or by a name that the system's loader finds.
   *
   * @throws MpiError where it cannot be loaded, or is none of the standard ABI, or npm's `koffi` is not installed.
   */
  static async load(path: string): Promise<MpiFunctions> {
    const koffi = await importKoffi();
    try {
      const library = koffi.load(path, { global: true, deep: false });
      const functions = Object.entries(SIGNATURES).map(([name, types]) => [
        name,
        library.func(name, "int", [...types]) as unknown as Foreign,
      ]);
      return new MpiFunctions(Object.fromEntries(functions) as Record<Name, Foreign>);
    } catch (error) {
      throw new MpiError(`${path} cannot be loaded as an MPI of the standard ABI (${messageOf(error)}).`, {
        cause: error,
      });
    }
  }

  /** Calls a function that returns at once. */
  call(name: Name, ...args: unknown[]): void {
    this.#check(name, this.#functions[name](...args));
  }

  /** A function that gives one whole number. */
  number(name: Name, ...args: unknown[]): number {
    const result = [0];
    this.call(name, ...args, result);
    return result[0];
  }

  /** A function that writes a text of at most `bytes` and gives its length. */
  text(name: Name, bytes: number, ...args: unknown[]): string {
    const buffer = Buffer.alloc(bytes);
    return buffer.toString("utf8", 0, this.number(name, ...args, buffer)).replace(/\0.*$/s, "");
  }

  /** Calls a function that waits for other ranks, in a thread of its own. Buffers are not to be touched meanwhile. */
  async wait(name: Name, ...args: unknown[]): Promise<void> {
    // Nobody else may hold a buffer that MPI still reads or writes: what is collected is freed.
    this.#held.add(args);
    try {
      const code = await new Promise<number>((resolve, reject) => {
        this.#functions[name].async(...args, (error, result) => {
          if (error) reject(error);
          else resolve(result);
        });
      });
      this.#check(name, code);
    } finally {
      this.#held.delete(args);
    }
  }

  #check(name: Name, code: number): void {
    if (code === MPI.SUCCESS || name === "MPI_Error_string") return;
    throw new MpiError(`${name} failed: ${this.text("MPI_Error_string", MPI.MAX_ERROR_STRING, code)}.`);
  }
}

async function importKoffi(): Promise<typeof Koffi> {
  try {
    return await loadKoffi();
  } catch (error) {
    throw new MpiError(
      `Training on several ranks calls MPI through npm's koffi, which cannot be loaded (${messageOf(error)}): npm install koffi.`,
      { cause: error },
    );
  }
}
