import { WORKGROUP } from "../../helpers/families.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { compileQuickly } from "../../helpers/quick-compiler.ts";
import { describeFusedWeights } from "./fused-weights-cases.ts";

compileQuickly({ narrow: true });
describeFusedWeights(WORKGROUP, useGpu());
