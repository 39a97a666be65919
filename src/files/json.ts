/** More than any description of a model needs; a network within a network is some ten levels deep. */
const DEEPEST = 100;

/**
 * `JSON.parse` for files from elsewhere: refuses text that is nested so deeply that what walks the result would run out
 * of stack, before anything is built from it.
 *
 * @throws {SyntaxError} where the text is not JSON, or is nested deeper than 100 levels
 */
export function parseForeignJson(text: string): unknown {
  checkDepth(text);
  return JSON.parse(text);
}

function checkDepth(text: string): void {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const character = text.charCodeAt(i);
    if (inString) {
      if (character === 0x5c) i++;
      else if (character === 0x22) inString = false;
    } else if (character === 0x22) inString = true;
    else if (character === 0x5b || character === 0x7b) {
      if (++depth > DEEPEST) throw new SyntaxError(`it is nested deeper than ${DEEPEST} levels`);
    } else if (character === 0x5d || character === 0x7d) depth--;
  }
}
