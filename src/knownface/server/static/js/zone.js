// The time zone in which times are told in this browser: chosen in the settings, else the browser's own.

const KEPT = "zone";

function isZone(name) {
  try {
    return Boolean(name && Intl.DateTimeFormat("en", { timeZone: name }));
  } catch {
    return false;
  }
}

const kept = localStorage.getItem(KEPT);

/** Its name, such as "Europe/Berlin". */
export const zone = isZone(kept) ? kept : Intl.DateTimeFormat().resolvedOptions().timeZone;

const wall = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "short" });

/** Tell times in a zone from now on, or in the browser's own where the name is empty; whether there is such a zone. */
export function chooseZone(name) {
  if (name && !isZone(name)) return false;
  if (name) localStorage.setItem(KEPT, name);
  else localStorage.removeItem(KEPT);
  return true;
}

/** A moment as a field for date and time has it, in the zone. */
export function fieldText(moment) {
  return wall.format(moment).replace(" ", "T");
}

/** The moment that such a field means. */
export function momentOf(text) {
  const wanted = Date.parse(`${text}Z`);
  let moment = new Date(wanted);
  // Twice, since the clocks may be changed between the two.
  for (let i = 0; i < 2; i++) moment = new Date(moment.getTime() + wanted - Date.parse(`${fieldText(moment)}Z`));
  return moment;
}
