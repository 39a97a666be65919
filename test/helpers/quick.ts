/** Whether this is `npm test`, which is waited for, and not `npm run test:all`. */
export const isQuick = process.env.BESPOKE_TESTS !== "all";
