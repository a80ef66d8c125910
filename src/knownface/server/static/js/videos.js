// A video: the service follows its faces in the background; who is in it is drawn over time, and a click leads there.

import { face as square, h } from "./dom.js";
import { jobCard } from "./job_card.js";
import { number } from "./locale.js";
import { t } from "./texts.js";

/** Whether a file is a video, as far as the browser or its name tells. */
export function isVideo(file) {
  return file.type.startsWith("video/") || /\.(mp4|m4v|mov|mkv|webm|avi|mts|m2ts|ts|wmv|mpg|mpeg)$/iu.test(file.name);
}

/** Minutes and seconds, such as 3:07. */
function clock(seconds) {
  return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
}

/** One person's line: the stretches as buttons that lead to their beginning. */
function line({ name, person_id: id, unknown, seconds, stretches }, length, seek) {
  const label = name ?? t("live.unknown", { number: unknown });
  const face = square(name ?? "", id === null ? null : `/v1/people/${id}/picture`);
  face.querySelector("img")?.addEventListener("error", ({ target }) => target.remove());
  const bars = stretches.map(({ from, to }) => {
    const bar = h("button", { type: "button", class: id === null ? "unknown" : "", "aria-label": t("video.go", { name: label, time: clock(from) }), title: `${clock(from)} – ${clock(to)}` });
    bar.style.left = `${(100 * from) / length}%`;
    bar.style.width = `${(100 * (to - from)) / length}%`;
    bar.addEventListener("click", () => seek(from));
    return bar;
  });
  const who = h("strong", {}, id === null ? label : h("a", { href: `/people/${id}` }, label));
  const about = h("div", { class: "grow" }, h("div", { class: "split" }, who, h("small", {}, t("video.seconds", { seconds: number(seconds, 1) }))), h("div", { class: "stretches" }, ...bars));
  return h("li", {}, face, about);
}

/** A card for a video, which fills as the service gets on. */
export function watch(file) {
  const player = h("video", { src: URL.createObjectURL(file), controls: true, muted: true, playsinline: true, class: "labelled" });
  player.addEventListener("error", () => (player.hidden = true)); // a kind of file that this browser does not show
  const seek = (seconds) => {
    player.currentTime = seconds;
    player.scrollIntoView({ block: "nearest" });
  };
  const words = {
    sending: t("video.sending"),
    progress: t("video.progress"),
    running: ({ done, total }) => t("video.running", { done: number(done), count: total }),
  };
  return jobCard(file, { path: "/v1/videos", field: "video", words, drawn, above: [player] });

  function drawn(result) {
    const lines = result.people.map((person) => line(person, result.seconds || 1, seek));
    const ends = h("div", { class: "split" }, h("small", { class: "muted" }, clock(0)), h("small", { class: "muted" }, clock(result.seconds)));
    const doubts = result.doubts.map((doubt) => h("p", { class: "error" }, t(`video.doubts.${doubt.kind}`, { from: clock(doubt.from), to: clock(doubt.to) })));
    return [...doubts, lines.length ? h("ul", { class: "rows found" }, ...lines) : h("p", { class: "muted" }, t("identify.no_face")), lines.length ? ends : ""];
  }
}
