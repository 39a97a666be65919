/** Something that set-up cannot mend by itself. Its message is one sentence for the user: what is wrong and what to run. */
export class SetupError extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = "SetupError";
  }
}

/**
 * Says what set-up is doing, on stderr: stdout belongs to the command (`npm run doctor -- --json | jq`).
 *
 * @param {string} text
 */
export function say(text) {
  console.error(`bespoke: ${text}`);
}
