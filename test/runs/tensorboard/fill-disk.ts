// Run by the test of TfEventsWriter under a limit on the size of files: writes until that fails and tells what happened.
import { TfEventsWriter } from "../../../src/runs/tensorboard/tf-events-writer.ts";

const writer = await TfEventsWriter.create(process.argv[2]);
let written = 0;
let message = "";
try {
  for (; written < 10_000; written++) writer.scalars(written, { "train/loss": written });
} catch (error) {
  message = (error as Error).message;
}
writer.close();
process.stdout.write(JSON.stringify({ message, path: writer.path, written }));
