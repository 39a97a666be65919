/** What outputs become: files in a folder of the shard, or an archive of the shard. */
export const OUTPUTS_AS = ["files", "tar"] as const;
export type OutputsAs = (typeof OUTPUTS_AS)[number];
