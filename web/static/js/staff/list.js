// The list of establishments: a chosen order or filter takes effect at once; on a phone the filters are folded.

const form = document.getElementById("search");
if (form instanceof HTMLFormElement) {
  form.addEventListener("change", (event) => {
    const target = event.target;
    if (target instanceof HTMLElement && (target.id === "sort" || target.closest(".facet"))) form.requestSubmit();
  });
  // "/" leads to the search box from anywhere on the page, as on a map or in a mail program.
  document.addEventListener("keydown", (event) => {
    const typing = event.target instanceof HTMLElement && event.target.closest("input:not([type=checkbox]), select, textarea");
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || typing) return;
    event.preventDefault();
    document.getElementById("q")?.focus();
  });
  const order = form.querySelector(".sort .button");
  if (order instanceof HTMLElement) order.hidden = true;
  if (matchMedia("(max-width: 60em)").matches) {
    form.querySelector(".facets-all")?.removeAttribute("open");
  }
}
