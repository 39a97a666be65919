import { REGISTER } from "../../helpers/families.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { compileQuickly } from "../../helpers/quick-compiler.ts";
import { describeFused } from "./fused-cases.ts";

compileQuickly({ wide: true });
describeFused(REGISTER, useGpu());
