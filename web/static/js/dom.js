// Small ways around the page's elements.

/**
 * The element with an id, which the page is known to have.
 * @param {string} id
 * @returns {HTMLElement}
 */
export function element(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`The page has no #${id}`);
  return found;
}

/**
 * The first element below another that matches, which is known to be there.
 * @param {ParentNode} parent
 * @param {string} selector
 * @returns {HTMLElement}
 */
export function within(parent, selector) {
  const found = parent.querySelector(selector);
  if (!(found instanceof HTMLElement)) throw new Error(`Nothing matches ${selector}`);
  return found;
}

/**
 * Shows words in an element, or hides it when there are none.
 * @param {HTMLElement} target
 * @param {string} text
 */
export function say(target, text) {
  target.textContent = text;
  target.hidden = !text;
}

/**
 * Tells screen readers what changed.
 * @param {string} text
 */
export function announce(text) {
  element("announce").textContent = text;
}

/** Whether the person asked for less movement. */
export function calm() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/** Whether the list is a sheet over the map. */
export function narrow() {
  return matchMedia("(max-width: 47.99em)").matches;
}
