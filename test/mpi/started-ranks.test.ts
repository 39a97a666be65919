import { describe, expect, it } from "vitest";
import { refuseUncounted, startedRanks } from "../../src/mpi/started-ranks.ts";

describe("the ranks that were started", () => {
  it("are told by what started them", () => {
    expect(startedRanks({ PMI_RANK: "1", PMI_SIZE: "4" })).toEqual({ rank: 1, size: 4 });
    expect(startedRanks({ OMPI_COMM_WORLD_RANK: "0", OMPI_COMM_WORLD_SIZE: "2" })).toEqual({
      rank: 0,
      size: 2,
    });
    expect(startedRanks({ SLURM_PROCID: "7", SLURM_STEP_NUM_TASKS: "8" })).toEqual({ rank: 7, size: 8 });
  });

  it("are none for a process by itself", () => {
    expect(startedRanks({})).toBeNull();
    expect(startedRanks({ PMI_RANK: "0", PMI_SIZE: "1" })).toBeNull();
    // A batch script on one node, without srun.
    expect(startedRanks({ SLURM_PROCID: "0", SLURM_NTASKS: "8" })).toBeNull();
    expect(startedRanks({ PMI_RANK: "zero", PMI_SIZE: "2" })).toBeNull();
  });

  it("are refused where they are not told how many they are", () => {
    expect(() => refuseUncounted({ PMI_PORT: "host:1", PMI_ID: "0" })).toThrow(/leave out -pmi-port/);
    refuseUncounted({ PMI_PORT: "host:1", PMI_ID: "0", PMI_RANK: "0", PMI_SIZE: "2" });
    refuseUncounted({});
  });
});
