import { h, setText } from "../page/dom.ts";

export interface LoadingBar {
  readonly element: HTMLElement;
  /** So many bytes of all. */
  show(what: string, done: number, all: number): void;
  /** Something whose end cannot be told. */
  wait(what: string): void;
}

/** What has come of something that takes a while. */
export function loadingBar(): LoadingBar {
  const progress = h("progress", { id: "progress" });
  const name = h("span", {});
  const amount = h("span", { class: "muted" });
  const label = h("label", { for: "progress" }, name, amount);
  return {
    element: h("div", { class: "loading" }, label, progress),
    show(what, done, all) {
      setText(name, what);
      setText(amount, `${mebibytes(done)} of ${mebibytes(all)} MiB`);
      progress.max = all;
      progress.value = done;
    },
    wait(what) {
      setText(name, what);
      setText(amount, "");
      progress.removeAttribute("value");
    },
  };
}

const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);
