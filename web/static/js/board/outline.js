// Draws the outline of a model site on its plan: corners are clicked one after the other and become GeoJSON in the form.
// Without this script the outline is pasted, or taken from a street.

const plan = document.getElementById("drawing");
const tools = document.querySelector("[data-for=drawing]");
const shape = document.getElementById("geometry");
if (plan && tools && shape) begin(plan, tools, shape);

function begin(plan, tools, shape) {
  const [west, south, east, north] = plan.dataset.box.split(",").map(Number);
  const { width, height } = plan.viewBox.baseVal;
  const drawn = plan.querySelector(".drawn");
  const words = tools.querySelector("[role=status]");
  let corners = [];
  let drawing = false;
  tools.hidden = false;

  const show = () => {
    drawn.setAttribute("d", corners.length ? `M${corners.map((at) => at.join(" ")).join(" L")}Z` : "");
    if (corners.length < 3) return;
    const ring = [...corners, corners[0]].map(([x, y]) => [
      Number((west + (x / width) * (east - west)).toFixed(7)),
      Number((north - (y / height) * (north - south)).toFixed(7)),
    ]);
    shape.value = JSON.stringify({ type: "Polygon", coordinates: [ring] });
  };
  plan.addEventListener("click", (event) => {
    if (!drawing) return;
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(plan.getScreenCTM().inverse());
    corners.push([Number(at.x.toFixed(1)), Number(at.y.toFixed(1))]);
    show();
  });
  tools.addEventListener("click", (event) => {
    const action = event.target.closest("[data-draw]")?.dataset.draw;
    if (!action) return;
    if (action === "undo") corners.pop();
    else corners = [];
    if (action !== "undo" || corners.length < 3) shape.value = "";
    drawing = drawing || action === "start";
    plan.classList.toggle("drawing", drawing);
    if (drawing) words.textContent = words.dataset.words;
    show();
  });
}
