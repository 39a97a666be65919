// `sudo node scripts/install-lavapipe.mjs`: installs lavapipe, a software Vulkan driver, with apt. Set-up does the same by
// itself when it runs as root; this is for an administrator whose users train without being root.
import { hasApt, installLavapipe, lavapipeCommand, PACKAGES } from "./setup/lavapipe.mjs";
import { say } from "./setup/messages.mjs";

if (!hasApt()) {
  say(`this machine has no apt: run \`${lavapipeCommand()}\`.`);
  process.exitCode = 1;
} else if (process.getuid?.() !== 0) {
  say("installing system packages takes root: run this with sudo.");
  process.exitCode = 1;
} else {
  say(`installing ${PACKAGES.join(" and ")}`);
  const failure = await installLavapipe();
  say(failure === null ? "installed." : `not installed: ${failure}`);
  if (failure !== null) process.exitCode = 1;
}
