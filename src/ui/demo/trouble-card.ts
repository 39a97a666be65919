import { h, part } from "../page/dom.ts";
import type { Trouble } from "./trouble.ts";

/** Puts an explanation in the place of the page's work. */
export function showTrouble({ title, what, advice, details }: Trouble): void {
  const again = h("button", { type: "button", class: "main" }, "Load the page again");
  again.addEventListener("click", () => location.reload());
  const card = part("trouble");
  card.replaceChildren(
    h(
      "div",
      { class: "card" },
      h("h2", {}, title),
      h("p", {}, what),
      h("ul", {}, ...advice.map((sentence) => h("li", {}, sentence))),
      details ? h("p", { class: "muted details" }, details) : null,
      again,
    ),
  );
  card.hidden = false;
  part("work").hidden = true;
  part("loading").hidden = true;
}
