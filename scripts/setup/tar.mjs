const BLOCK = 512;

/**
 * Reads the plain files out of a tar archive (ustar; enough for what npm and Chromium's packagers write).
 *
 * @param {Buffer} archive uncompressed
 * @returns {Map<string, Buffer>} path to contents
 */
export function readTar(archive) {
  const files = new Map();
  for (let at = 0; at + BLOCK <= archive.length && archive[at] !== 0;) {
    const text = (/** @type {number} */ offset, /** @type {number} */ length) =>
      archive.toString("utf8", at + offset, at + offset + length).replace(/\0.*$/s, "");
    const size = Number.parseInt(text(124, 12), 8);
    const end = at + BLOCK + size;
    if (Number.isNaN(size) || end > archive.length) throw new Error("the archive is damaged");
    const type = text(156, 1);
    const folder = text(345, 155);
    const name = folder === "" ? text(0, 100) : `${folder}/${text(0, 100)}`;
    if (type === "0" || type === "") files.set(name, archive.subarray(at + BLOCK, end));
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  return files;
}
