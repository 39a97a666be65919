/**
 * WGSL of Philox4x32-10 (Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011):
 * `philox(counter: vec4u, key: vec2u) -> vec4u`, four random words of 32 bits that depend on nothing but counter and key. It is
 * arithmetic on integers, so they are the same on every adapter.
 */
export const philoxText = /* wgsl */ `
/** The upper half of a 64-bit product. */
fn multiplyHigh(a: u32, b: u32) -> u32 {
  let low = (a & 0xffffu) * (b & 0xffffu);
  let first = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
  let second = (a & 0xffffu) * (b >> 16u) + (first & 0xffffu);
  return (a >> 16u) * (b >> 16u) + (first >> 16u) + (second >> 16u);
}

fn philox(counter: vec4u, key: vec2u) -> vec4u {
  var words = counter;
  var keys = key;
  for (var round = 0u; round < 10u; round++) {
    words = vec4u(
      multiplyHigh(0xCD9E8D57u, words.z) ^ words.y ^ keys.x,
      0xCD9E8D57u * words.z,
      multiplyHigh(0xD2511F53u, words.x) ^ words.w ^ keys.y,
      0xD2511F53u * words.x,
    );
    keys += vec2u(0x9E3779B9u, 0xBB67AE85u);
  }
  return words;
}
`;
