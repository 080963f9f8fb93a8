// The list of imports: a file may be dropped on the form; what was chosen is said aloud.

import { element } from "../dom.js";
import { words } from "../words.js";

const form = document.getElementById("drop");
const input = document.getElementById("file");
if (form instanceof HTMLFormElement && input instanceof HTMLInputElement) {
  const say = () => {
    const chosen = input.files?.[0];
    element("drop-said").textContent = chosen ? words("dropped", { name: chosen.name }) : "";
  };
  input.addEventListener("change", say);
  form.addEventListener("dragover", (event) => {
    event.preventDefault();
    form.classList.add("over");
  });
  form.addEventListener("dragleave", (event) => {
    if (!(event.relatedTarget instanceof Node && form.contains(event.relatedTarget))) form.classList.remove("over");
  });
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    form.classList.remove("over");
    const files = event.dataTransfer?.files;
    if (!files?.length) return;
    if (files.length > 1) {
      element("drop-said").textContent = words("too_many");
      return;
    }
    input.files = files;
    say();
  });
}
document.documentElement.dataset.ready = "true";
