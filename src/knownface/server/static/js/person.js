// One person's page: the receipt of a removal.

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
