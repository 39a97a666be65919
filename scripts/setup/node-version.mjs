/**
 * Says on stderr that this Node is too old, where it is. No recent syntax here, nor in what imports it: an old Node must get
 * as far as this sentence.
 *
 * @returns {boolean} whether it is
 */
export function refuseOldNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  const isOld = major < 20 || (major === 20 && minor < 9);
  if (isOld) {
    console.error(
      "bespoke: this needs Node 20.9 or newer and found " +
        process.versions.node +
        ": install a current Node (https://nodejs.org), then run the same command again.",
    );
    process.exitCode = 1;
  }
  return isOld;
}
