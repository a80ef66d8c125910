// The filters of the log: times are typed in the reader's own zone and sent with it.

const form = document.getElementById("filters");

function localText(moment) {
  const pad = (number) => String(number).padStart(2, "0");
  return `${moment.getFullYear()}-${pad(moment.getMonth() + 1)}-${pad(moment.getDate())}T${pad(moment.getHours())}:${pad(moment.getMinutes())}`;
}

for (const field of form.querySelectorAll("[data-name]")) {
  const moment = new Date(field.dataset.value);
  if (field.dataset.value && !Number.isNaN(moment.valueOf())) field.value = localText(moment);
}

form.addEventListener("formdata", (event) => {
  for (const field of form.querySelectorAll("[data-name]")) {
    if (field.value) event.formData.set(field.dataset.name, new Date(field.value).toISOString());
  }
  for (const [name, value] of [...event.formData]) if (value === "") event.formData.delete(name);
});
