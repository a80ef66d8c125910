// Parts of the page that are drawn anew by asking the server for the same page: there is one way to draw them.

import { localTimes, optionalPictures } from "./dom.js";

/** How to find an element again after it was drawn anew, or null. */
function tracesOf(element) {
  if (element?.id) return `#${CSS.escape(element.id)}`;
  const names = ["data-open", "data-path", "data-body", "href"].filter((name) => element?.hasAttribute(name));
  return names.map((name) => `[${name}="${CSS.escape(element.getAttribute(name))}"]`).join("") || null;
}

/** Replace every element with data-region by what the server draws now; the focus stays where it was, or near. */
export async function refresh() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (answer.status === 404) {
    location.assign(`/${location.pathname.split("/")[1]}`); // what it showed is gone; to the list it stood in
    return;
  }
  if (answer.redirected || !answer.ok) {
    location.reload();
    return;
  }
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const focused = document.activeElement;
  const traces = tracesOf(focused);
  for (const region of document.querySelectorAll("[data-region]")) {
    const twin = fresh.querySelector(`[data-region="${region.dataset.region}"]`);
    if (twin) region.replaceWith(document.adoptNode(twin));
  }
  localTimes();
  optionalPictures();
  if (!focused?.isConnected) ((traces && document.querySelector(traces)) || document.getElementById("main"))?.focus();
  document.dispatchEvent(new CustomEvent("refreshed"));
}
