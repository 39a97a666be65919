import { REGISTER } from "../../helpers/families.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { compileQuickly } from "../../helpers/quick-compiler.ts";
import { describeConv2d } from "./conv2d-cases.ts";

compileQuickly({ wide: true });
describeConv2d(REGISTER, useGpu());
