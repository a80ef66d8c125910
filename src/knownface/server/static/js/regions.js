// Parts of the page that are drawn anew by asking the server for the same page: there is one way to draw them.

import { localTimes, optionalPictures } from "./dom.js";

/** Replace every element with data-region by what the server draws now; the focus stays where its id is. */
export async function refresh() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (answer.redirected || !answer.ok) {
    location.reload();
    return;
  }
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const focused = document.activeElement?.id;
  for (const region of document.querySelectorAll("[data-region]")) {
    const twin = fresh.querySelector(`[data-region="${region.dataset.region}"]`);
    if (twin) region.replaceWith(document.adoptNode(twin));
  }
  localTimes();
  optionalPictures();
  if (focused) document.getElementById(focused)?.focus();
  document.dispatchEvent(new CustomEvent("refreshed"));
}
