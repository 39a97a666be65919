// What starts ranks is talked to by a descriptor; here it is one that nobody has opened.
import { Communicator } from "../../../src/mpi/communicator.ts";
import { MpiError } from "../../../src/mpi/mpi-error.ts";

process.env.PMI_FD = "777";
await Communicator.join().catch((error: unknown) => {
  if (error instanceof MpiError) console.log(error.message);
});
