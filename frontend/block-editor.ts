/** The block editor: saves as somebody works, keeps the picture in step, and loses nothing when something fails. */

import { chips } from "./block-editor/chips";
import { folds, names } from "./block-editor/folds";
import { order } from "./block-editor/order";
import { presses } from "./block-editor/presses";
import { problems } from "./block-editor/problems";
import { saving } from "./block-editor/saving";
import { sight } from "./block-editor/sight";

const form = document.querySelector<HTMLFormElement>("#maker.desk");
if (form !== null) {
  saving(form);
  presses(form);
  sight();
  folds(form);
  names(form);
  const drawn = (): void => {
    order(form);
    chips(form);
    problems(form);
  };
  drawn();
  document.addEventListener("htmx:oobAfterSwap", (event) => {
    const target = (event as CustomEvent<{ target: Element }>).detail.target;
    if (target.id === "form-side" || document.getElementById("form-side") === target) drawn();
  });
  document.addEventListener("htmx:afterSettle", () => problems(form));
}
