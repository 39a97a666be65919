/** @file 16-bit floats as they lie in files and buffers; browsers and Node before 24 have no `Float16Array`. */

/**
 * IEEE 754 binary16 to binary32, exactly.
 *
 * @param bits one number a 16-bit word
 */
export function float16ToFloat32(bits: Uint16Array): Float32Array {
  const out = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) {
    const word = bits[i];
    const sign = (word & 0x8000) << 16;
    const exponent = (word >>> 10) & 0x1f;
    const fraction = word & 0x3ff;
    if (exponent === 0x1f) {
      out[i] = sign | 0x7f800000 | (fraction << 13);
    } else if (exponent !== 0) {
      out[i] = sign | ((exponent + 127 - 15) << 23) | (fraction << 13);
    } else if (fraction === 0) {
      out[i] = sign;
    } else {
      // A subnormal half is a normal float: move its leading one to the hidden bit.
      const shift = Math.clz32(fraction) - 21;
      out[i] = sign | ((127 - 14 - shift) << 23) | (((fraction << shift) & 0x3ff) << 13);
    }
  }
  return new Float32Array(out.buffer);
}

/** bfloat16, the upper half of a binary32, to binary32, exactly. */
export function bfloat16ToFloat32(bits: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(bits, (word) => word << 16).buffer);
}
