import type { RunMessage } from "../run-state.ts";

export type Link = "open" | "lost" | "closed";

/** Milliseconds before the first new attempt; each further one waits twice as long, up to `LONGEST`. */
const FIRST = 500;
const LONGEST = 8000;

/**
 * Listens to the server's events. A lost connection is taken up again, and the server then begins with the whole state,
 * so that nothing is missed; after the server has said that it goes, nothing is tried any more.
 */
export function connect(onMessage: (message: RunMessage) => void, onLink: (link: Link) => void): void {
  let wait = FIRST;
  const open = (): void => {
    const events = new EventSource("/events");
    events.onopen = () => {
      wait = FIRST;
      onLink("open");
    };
    events.onmessage = ({ data }: MessageEvent<string>) => {
      const message = JSON.parse(data) as RunMessage;
      onMessage(message);
      if (message.type !== "close") return;
      events.close();
      onLink("closed");
    };
    events.onerror = () => {
      events.close();
      onLink("lost");
      setTimeout(open, wait);
      wait = Math.min(2 * wait, LONGEST);
    };
  };
  open();
}
