// One person's page: choosing the pictures that are somebody else's; the receipt of a removal.

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

function offer(id, name, type, text) {
  const link = document.getElementById(id);
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
}

document.addEventListener("answered", (event) => {
  const receipt = event.detail?.receipt;
  if (!receipt) return;
  event.preventDefault();
  offer("receipt-page", `${receipt.name}.html`, "text/html", receipt.page);
  offer("receipt-file", `${receipt.name}.json`, "application/json", receipt.text);
  const dialog = document.getElementById("receipt");
  dialog.addEventListener("close", () => location.assign("/people"));
  dialog.showModal();
});

document.addEventListener("change", (event) => event.target.matches(".pick") && follow());
document.addEventListener("refreshed", follow);
follow();
