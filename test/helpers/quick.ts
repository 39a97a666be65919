/** Whether this is `npm test`, which is waited for, and not `npm run test:all`. */
export const isQuick = process.env.BESPOKE_TESTS !== "all";

/** Of a test that `npm test` leaves out: its name, with the reason that the runner prints beside it. */
export const inTestAll = (name: string): string => (isQuick ? `${name} (in npm run test:all only)` : name);
