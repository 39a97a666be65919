// Run by the tests of locks: takes a lock, tells what came of it, and ends when its input does.
import { takeLock } from "../../scripts/setup/lock-file.mjs";

process.stdout.write(`${JSON.stringify(takeLock(process.argv[2] ?? ""))}\n`);
process.stdin.resume();
