import { FAMILIES } from "../../helpers/families.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { compileQuickly } from "../../helpers/quick-compiler.ts";
import { isQuick } from "../../helpers/quick.ts";
import { describeFused } from "./fused-cases.ts";

// With barriers, lavapipe compiles each text for seconds.
compileQuickly({ narrow: isQuick });
describeFused(FAMILIES, useGpu());
