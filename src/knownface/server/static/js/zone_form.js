// The choice of the time zone in which times are told.

import { h } from "./dom.js";
import { t } from "./texts.js";
import { chooseZone, zone } from "./zone.js";

const form = document.getElementById("own-zone");
const field = form.querySelector("input");
field.value = zone;
field.list.replaceChildren(...Intl.supportedValuesOf("timeZone").map((name) => h("option", { value: name })));
form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (chooseZone(field.value.trim())) location.reload();
  else form.querySelector(".error").textContent = t("settings.no_zone");
});
