import { WORKGROUP } from "../../helpers/families.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { compileQuickly } from "../../helpers/quick-compiler.ts";
import { describeFused } from "./fused-cases.ts";

compileQuickly({ narrow: true });
describeFused(WORKGROUP, useGpu());
