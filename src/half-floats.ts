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

/**
 * IEEE binary32 to binary16, each times `factor` and rounded to the nearest, to the even one of two; what is too large becomes infinite, NaN
 * stays NaN.
 *
 * @param factor a power of two, so that it rounds nothing.
 */
export function float32ToFloat16(numbers: Float32Array, factor = 1): Uint16Array {
  const out = new Uint16Array(numbers.length);
  const words = new Uint32Array(1);
  const float = new Float32Array(words.buffer);
  for (let i = 0; i < numbers.length; i++) {
    float[0] = numbers[i] * factor;
    const sign = (words[0] >>> 16) & 0x8000;
    const word = words[0] & 0x7fffffff;
    if (word < 0x38800000) {
      // Below 2^-14 the last bit is 2^-24, as it is of a float of 0.5 to 1: adding 0.5 rounds as it must.
      words[0] = word;
      float[0] += 0.5;
      out[i] = sign | (words[0] - 0x3f000000);
    } else if (word < 0x47800000) {
      // Thirteen bits go; halves are rounded to the even neighbour, up to the next exponent where it must be.
      out[i] = sign | ((word - 0x38000000 + 0xfff + ((word >>> 13) & 1)) >>> 13);
    } else out[i] = sign | (word > 0x7f800000 ? 0x7e00 : 0x7c00);
  }
  return out;
}

/** bfloat16, the upper half of a binary32, to binary32, exactly. */
export function bfloat16ToFloat32(bits: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(bits, (word) => word << 16).buffer);
}
