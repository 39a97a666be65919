import { lostRedis, openRedis } from "../../queue/open-redis.ts";
import { redisAddress } from "../../queue/redis-address.ts";
import { ShardQueue } from "../../queue/shard-queue.ts";

/** Opens the Redis that the environment names, tells what is not well with it, and leaves when `use` is done. */
export async function withQueue<T>(
  name: string,
  options: { readonly patient: boolean; readonly signal?: AbortSignal },
  use: (queue: ShardQueue) => Promise<T>,
): Promise<T> {
  const redis = await openRedis(await redisAddress(), options);
  try {
    for (const note of redis.notes) process.stderr.write(`Note: ${note}\n`);
    const queue = new ShardQueue(redis, name);
    try {
      return await use(queue);
    } finally {
      await queue.close();
    }
  } catch (error) {
    throw lostRedis(error, redis.where);
  } finally {
    redis.client.disconnect();
  }
}
