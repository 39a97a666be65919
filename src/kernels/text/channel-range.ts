/** Channels from `begin` on of a tensor `[rows, width]`: a tensor that lies inside a wider one. */
export interface ChannelRange {
  readonly width: number;
  readonly begin: number;
}

/** All of a tensor's channels. */
export const allChannels = (channels: number): ChannelRange => ({ width: channels, begin: 0 });
