import { MATRICES } from "../../helpers/families.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { describeFused } from "./fused-cases.ts";
import { describeFusedWeights } from "./fused-weights-cases.ts";

const gpu = useGpu();

// All that is loaded and stored is tried in `fused-workgroup.test.ts`, whose text for it is the same.
describeFused(MATRICES, gpu, { few: true });
describeFusedWeights(MATRICES, gpu);
