import { WORKGROUP } from "../../helpers/families.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { describeFused } from "./fused-cases.ts";

describeFused(WORKGROUP, useGpu());
