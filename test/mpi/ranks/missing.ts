// The last rank does not come: it hangs, dies or gives up. Without mpiexec this starts two ranks itself.
import { Communicator } from "../../../src/mpi/communicator.ts";
import { launchRanks } from "../../../src/mpi/launch-ranks.ts";
import { startedRanks } from "../../../src/mpi/started-ranks.ts";

const [how] = process.argv.slice(2);
if (!startedRanks()) process.exit(await launchRanks(2));
const ranks = await Communicator.join({ deadline: 3 });
ranks.at = "step 7";
ranks.patient = false;
await ranks.allReduce("all-reduce", new Float32Array(4));
if (ranks.rank === ranks.size - 1) {
  if (how === "killed") process.kill(process.pid, "SIGKILL");
  if (how === "stopped") process.kill(process.pid, "SIGSTOP");
  if (how === "gives up") ranks.abort("the device was lost.");
  // Busy for good.
  for (;;);
}
await ranks.allReduce("all-reduce", new Float32Array(4));
console.log("went on");
