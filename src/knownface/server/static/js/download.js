// Files of the service: fetched and then saved, so that an error is told on the page. Times are of a zone, first the reader's.

import { showError } from "./actions.js";
import { ApiError } from "./api.js";
import { h } from "./dom.js";
import { zone } from "./zone.js";

for (const field of document.querySelectorAll("[data-zone]")) {
  const drawn = field.dataset.zone !== "draw" || field.value !== "";
  field.value ||= zone;
  if (!drawn) field.form.requestSubmit(); // the page was drawn in UTC
  field.list?.replaceChildren(...Intl.supportedValuesOf("timeZone").map((zone) => h("option", { value: zone })));
}

async function save(form) {
  const place = form.querySelector(".error");
  place.replaceChildren();
  const address = new URL(form.dataset.download, location.origin);
  for (const [name, value] of new FormData(form)) if (value !== "") address.searchParams.set(name, value);
  const answer = await fetch(address).catch(() => null);
  if (!answer?.ok) {
    showError(place, new ApiError(answer?.status ?? 0, (await answer?.json().catch(() => null)) ?? { code: answer ? "error" : "offline" }));
    return;
  }
  const [, name] = /filename="([^"]+)"/u.exec(answer.headers.get("content-disposition") ?? "") ?? [null, "download"];
  const link = h("a", { href: URL.createObjectURL(await answer.blob()), download: name });
  link.click();
  URL.revokeObjectURL(link.href);
  form.closest("dialog")?.close();
}

document.addEventListener("submit", (event) => {
  if (!event.target.dataset.download) return;
  event.preventDefault();
  save(event.target);
});
