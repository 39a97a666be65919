import { REGISTER } from "../../helpers/families.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { describeConv2d } from "./conv2d-cases.ts";

describeConv2d(REGISTER, useGpu());
