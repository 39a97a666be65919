import { MATRICES } from "../helpers/families.ts";
import { useGpu } from "../helpers/gpu.ts";
import { compileQuickly } from "../helpers/quick-compiler.ts";
import { describeFused } from "./conv2d-fused-cases.ts";
import { describeFusedWeights } from "./conv2d-fused-weights-cases.ts";

compileQuickly({ narrow: true });
const gpu = useGpu();

describeFused(MATRICES, gpu);
describeFusedWeights(MATRICES, gpu);
