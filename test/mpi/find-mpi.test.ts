import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findMpi } from "../../src/mpi/find-mpi.ts";
import type { FindMpiOptions } from "../../src/mpi/find-mpi.ts";

describe("an MPI is found", () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "mpi-"));
  });
  afterEach(() => rm(root, { recursive: true }));

  const put = async (...files: string[]): Promise<void> => {
    for (const file of files) {
      await mkdir(dirname(join(root, file)), { recursive: true });
      await writeFile(join(root, file), "");
    }
  };
  const find = (env: NodeJS.ProcessEnv, options: FindMpiOptions = {}) =>
    findMpi({ platform: "linux", python: null, env, ...options });
  const at = (library: string, mpiexec: string | null) => ({
    library: join(root, library),
    mpiexec: mpiexec === null ? null : join(root, mpiexec),
  });

  it("by BESPOKE_MPI: a library, or the folder that it was installed in", async () => {
    await put("one/lib/libmpi_abi.so.1", "one/bin/mpiexec", "two/lib64/libmpi_abi.so.0", "two/bin/mpiexec");
    const one = at("one/lib/libmpi_abi.so.1", "one/bin/mpiexec");
    const PATH = join(root, "two/bin");
    expect(await find({ PATH, BESPOKE_MPI: join(root, "one") })).toEqual(one);
    expect(await find({ PATH, BESPOKE_MPI: join(root, "one/lib/libmpi_abi.so.1") })).toEqual(one);
    expect(await find({ PATH, BESPOKE_MPI: join(root, "one/lib") })).toEqual(one);
    expect(await find({ PATH, BESPOKE_MPI: "" })).toEqual(at("two/lib64/libmpi_abi.so.0", "two/bin/mpiexec"));
    await expect(find({ PATH, BESPOKE_MPI: join(root, "none") })).rejects.toThrow(
      `BESPOKE_MPI is ${join(root, "none")}, where there is no libmpi_abi.so.1.`,
    );
  });

  it("beside the mpiexec of the path, whatever links to it", async () => {
    await put("opt/lib/libmpi_abi.so", "opt/bin/mpiexec.hydra", "opt/bin/mpiexec");
    await mkdir(join(root, "bin"));
    await symlink(join(root, "opt/bin/mpiexec"), join(root, "bin/mpiexec"));
    const found = await find({ PATH: `${join(root, "nothing")}:${join(root, "bin")}` });
    expect(found.mpiexec).toBe(join(root, "opt/bin/mpiexec"));
  });

  it("in the active environment, where the loader looks, or by asking a Python", async () => {
    await put(
      "venv/lib/libmpi_abi.so.1",
      "venv/bin/mpiexec",
      "loaded/libmpi_abi.so.1",
      "mac/lib/libmpi_abi.dylib",
    );
    const venv = at("venv/lib/libmpi_abi.so.1", "venv/bin/mpiexec");
    expect(await find({ VIRTUAL_ENV: join(root, "venv") })).toEqual(venv);
    expect(await find({ CONDA_PREFIX: join(root, "venv") })).toEqual(venv);
    expect(await find({ LD_LIBRARY_PATH: `:${join(root, "loaded")}` })).toEqual(
      at("loaded/libmpi_abi.so.1", null),
    );
    const python = () => Promise.resolve([join(root, "no"), join(root, "venv")]);
    expect(await find({}, { python })).toEqual(venv);
    expect(await find({ VIRTUAL_ENV: join(root, "mac") }, { platform: "darwin" })).toEqual(
      at("mac/lib/libmpi_abi.dylib", null),
    );
  });

  it("or not, and it is said how to get one", async () => {
    await expect(find({ PATH: root })).rejects.toThrow(
      /^There is no MPI on this machine\. .*pip install mpich/,
    );
    await put("old/bin/mpiexec", "old/lib/libmpi.so");
    await expect(find({ PATH: join(root, "old/bin") })).rejects.toThrow(
      `The MPI of ${join(root, "old/bin/mpiexec")} is older than the standard ABI of MPI 5: it has no libmpi_abi.so.1.`,
    );
  });
});
