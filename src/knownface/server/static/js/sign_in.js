// Signing in. The address that the service prints carries the key behind a #, which browsers send to nobody.

import { showError } from "./actions.js";
import { api } from "./api.js";

const form = document.getElementById("sign-in");
const field = form.elements.key;

async function signIn(key) {
  const place = form.querySelector(".error");
  place.replaceChildren();
  try {
    const { role } = await api("POST", "/v1/session", { key });
    if (role === "device") {
      location.replace("/kiosk");
      return;
    }
    const next = new URL(form.dataset.next, location.origin); // "//elsewhere" and "/\\elsewhere" are other sites
    location.replace(next.origin === location.origin ? next.pathname + next.search : "/");
  } catch (error) {
    showError(place, error);
    field.setAttribute("aria-invalid", "true");
    field.select();
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  signIn(field.value.trim());
});

const printed = new URLSearchParams(location.hash.slice(1)).get("key");
if (printed) {
  history.replaceState(null, "", location.pathname + location.search);
  field.value = printed;
  signIn(printed);
}
