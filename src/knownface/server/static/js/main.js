// What every page needs.

import "./actions.js";
import { localTimes, optionalPictures } from "./dom.js";
import "./names.js";
import { toast } from "./toast.js";
import "./undo.js";

localTimes();
optionalPictures();

const waiting = sessionStorage.getItem("toast");
if (waiting) {
  sessionStorage.removeItem("toast");
  toast(waiting);
}
