import type { NamedTensors } from "../../weights/tensors.ts";
import { parseSafetensors } from "../../weights/safetensors.ts";
import { MODEL_PATH, SAMPLES_PATH, WEIGHTS_PATH } from "./model-description.ts";
import type { ModelDescription, SamplePhoto } from "./model-description.ts";
import { noModel, TroubleError } from "./trouble.ts";

/** @throws TroubleError when the server does not answer. */
export const fetchDescription = (): Promise<ModelDescription> =>
  explained(async () => (await get(MODEL_PATH)).json() as Promise<ModelDescription>);

/** The server's drawn photos; none where it does not answer, for the page does without them. */
export const fetchSamples = (): Promise<readonly SamplePhoto[]> =>
  get(SAMPLES_PATH)
    .then((response) => response.json() as Promise<readonly SamplePhoto[]>)
    .catch(() => []);

/**
 * Fetches the model's weights.
 *
 * @param onProgress told how many bytes have come.
 * @throws TroubleError when they do not come, or not whole.
 */
export const fetchWeights = (
  { weightBytes, name }: Pick<ModelDescription, "weightBytes" | "name">,
  onProgress: (bytes: number) => void,
): Promise<NamedTensors> =>
  explained(async () => {
    const response = await get(WEIGHTS_PATH);
    const bytes = new Uint8Array(weightBytes);
    const reader = response.body!.getReader();
    let done = 0;
    for (;;) {
      const { value, done: ended } = await reader.read();
      if (ended) break;
      bytes.set(value, done);
      done += value.byteLength;
      onProgress(done);
    }
    if (done < weightBytes) throw new Error(`Of ${weightBytes} bytes only ${done} came.`);
    return parseSafetensors(bytes, name).tensors;
  });

async function get(path: string): Promise<Response> {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response;
}

async function explained<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new TroubleError(noModel((error as Error).message), { cause: error });
  }
}
