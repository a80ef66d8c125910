// One person's page: choosing the pictures that are somebody else's.

function chosen() {
  return [...document.querySelectorAll(".templates .pick:checked")];
}

function follow() {
  const button = document.getElementById("split-button");
  if (!button) return;
  const boxes = document.querySelectorAll(".templates .pick").length;
  const picked = chosen();
  button.disabled = picked.length === 0 || picked.length === boxes;
  document.getElementById("split-templates").replaceChildren(
    ...picked.map((box) => {
      const field = document.createElement("input");
      Object.assign(field, { type: "checkbox", name: "templates", value: box.value, checked: true });
      field.dataset.each = "number";
      return field;
    }),
  );
}

document.addEventListener("change", (event) => event.target.matches(".pick") && follow());
document.addEventListener("refreshed", follow);
follow();
