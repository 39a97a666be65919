import { MATRICES } from "../../helpers/families.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { compileQuickly } from "../../helpers/quick-compiler.ts";
import { describeFused } from "./fused-cases.ts";
import { describeFusedWeights } from "./fused-weights-cases.ts";

compileQuickly({ narrow: true });
const gpu = useGpu();

describeFused(MATRICES, gpu);
describeFusedWeights(MATRICES, gpu);
