// A key that was made or changed, or the secret of a new webhook, is shown once.

import { t } from "./texts.js";
import { toast } from "./toast.js";

const shown = document.getElementById("show-key");
const field = document.getElementById("token");

document.addEventListener("answered", (event) => {
  const secret = event.detail?.token ?? event.detail?.secret;
  if (!secret) return;
  event.target.reset();
  field.value = secret;
  shown.showModal();
  field.select();
});

shown.addEventListener("close", () => {
  field.value = "";
});

document.getElementById("copy-key").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(field.value);
    toast(t("keys.copied"));
  } catch {
    field.select(); // no clipboard without TLS: the reader copies by hand
  }
});
