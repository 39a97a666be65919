import { REGISTER } from "../../helpers/families.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { compileQuickly } from "../../helpers/quick-compiler.ts";
import { describeFusedWeights } from "./fused-weights-cases.ts";

compileQuickly({ wide: true });
describeFusedWeights(REGISTER, useGpu());
