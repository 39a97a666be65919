import { WORKGROUP } from "../../helpers/families.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { compileQuickly } from "../../helpers/quick-compiler.ts";
import { describeConv2d } from "./conv2d-cases.ts";

compileQuickly({ narrow: true });
describeConv2d(WORKGROUP, useGpu());
