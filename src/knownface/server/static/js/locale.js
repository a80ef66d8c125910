// The page's language, as its reader's region writes it.

const language = document.documentElement.lang;

/** Such as "de-AT" for a page in German where the browser wants that; else the language alone. */
export const locale = navigator.languages.find((wanted) => wanted.toLowerCase().startsWith(`${language}-`)) ?? language;

/** A number as the language writes it. */
export function number(value, digits = 0) {
  return value.toLocaleString(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** Another language, for this browser, from now on. */
function choose(wanted) {
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `language=${wanted}; path=/; max-age=31536000; samesite=lax${secure}`;
  const address = new URL(location.href);
  address.searchParams.delete("language");
  if (address.href === location.href) location.reload();
  else location.replace(address);
}

document.addEventListener("change", ({ target }) => {
  if ("language" in target.dataset) choose(target.value);
});
document.addEventListener("click", ({ target }) => {
  const button = target.closest("button[data-language]");
  if (button) choose(button.value);
});
