// The filters of the log: times are typed in the reader's zone and sent as UTC.

import { fieldText, momentOf } from "./zone.js";

const form = document.getElementById("filters");

for (const field of form.querySelectorAll("[data-name]")) {
  const moment = new Date(field.dataset.value);
  if (field.dataset.value && !Number.isNaN(moment.valueOf())) field.value = fieldText(moment);
}

form.addEventListener("formdata", (event) => {
  for (const field of form.querySelectorAll("[data-name]")) {
    if (field.value) event.formData.set(field.dataset.name, momentOf(field.value).toISOString());
  }
  for (const [name, value] of [...event.formData]) if (value === "") event.formData.delete(name);
});
