// The form of an alert rule asks what its kind needs: parts with data-of belong to some kinds only.

document.addEventListener("change", (event) => {
  if (event.target.name !== "kind") return;
  for (const part of event.target.form.querySelectorAll("[data-of]")) {
    part.hidden = part.disabled = !part.dataset.of.split(" ").includes(event.target.value);
  }
});
