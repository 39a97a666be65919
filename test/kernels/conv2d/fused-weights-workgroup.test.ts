import { WORKGROUP } from "../../helpers/families.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { describeFusedWeights } from "./fused-weights-cases.ts";

describeFusedWeights(WORKGROUP, useGpu());
