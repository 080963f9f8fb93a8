// Draws the outline of a model site on its plan: corners are clicked one after the other and become GeoJSON in the form.
// Without this script the outline is pasted, or taken from a street.

const drawing = document.querySelector("#drawing");
const buttons = document.querySelector("[data-for=drawing]");
const shape = document.querySelector("#geometry");
if (drawing instanceof SVGSVGElement && buttons instanceof HTMLElement && shape instanceof HTMLTextAreaElement) {
  begin(drawing, buttons, shape);
}

/**
 * @param {SVGSVGElement} plan
 * @param {HTMLElement} tools
 * @param {HTMLTextAreaElement} field
 */
function begin(plan, tools, field) {
  const [west = 0, south = 0, east = 0, north = 0] = (plan.dataset.box ?? "").split(",").map(Number);
  const { width, height } = plan.viewBox.baseVal;
  const drawn = plan.querySelector(".drawn");
  const words = tools.querySelector("[role=status]");
  /** @type {[number, number][]} */
  let corners = [];
  let active = false;
  tools.hidden = false;

  const show = () => {
    drawn?.setAttribute("d", corners.length ? `M${corners.map((at) => at.join(" ")).join(" L")}Z` : "");
    const [first] = corners;
    if (first === undefined || corners.length < 3) return;
    const ring = [...corners, first].map(([x, y]) => [
      Number((west + (x / width) * (east - west)).toFixed(7)),
      Number((north - (y / height) * (north - south)).toFixed(7)),
    ]);
    field.value = JSON.stringify({ type: "Polygon", coordinates: [ring] });
  };
  plan.addEventListener("click", (event) => {
    const screen = plan.getScreenCTM();
    if (!active || !screen) return;
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(screen.inverse());
    corners.push([Number(at.x.toFixed(1)), Number(at.y.toFixed(1))]);
    show();
  });
  tools.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-draw]") : null;
    if (!(button instanceof HTMLElement)) return;
    if (button.dataset.draw === "undo") corners.pop();
    else corners = [];
    if (corners.length < 3) field.value = "";
    active = active || button.dataset.draw === "start";
    plan.classList.toggle("drawing", active);
    if (active && words instanceof HTMLElement) words.textContent = words.dataset.words ?? "";
    show();
  });
}
