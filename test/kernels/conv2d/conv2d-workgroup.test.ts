import { WORKGROUP } from "../../helpers/families.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { describeConv2d } from "./conv2d-cases.ts";

describeConv2d(WORKGROUP, useGpu());
