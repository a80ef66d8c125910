"use strict";
const figures = [
  ["Frames a second, in", (s) => s.fps_in.toFixed(1)],
  ["Frames a second, out", (s) => s.fps_out.toFixed(1)],
  ["Latency, median", (s) => (s.latency_p50_ms === null ? "–" : `${s.latency_p50_ms} ms`)],
  ["Latency, 95 %", (s) => (s.latency_p95_ms === null ? "–" : `${s.latency_p95_ms} ms`)],
  ["Faces", (s) => s.faces],
  ["Waiting", (s) => s.queue],
  ["Frames", (s) => s.frames],
  ["Left out", (s) => s.dropped],
  ["Reconnected", (s) => s.reconnects],
];
const element = (id) => document.getElementById(id);
const cells = figures.map(([title]) => {
  const term = document.createElement("dt");
  const value = document.createElement("dd");
  const pair = document.createElement("div");
  term.textContent = title;
  pair.append(term, value);
  element("figures").append(pair);
  return value;
});

const DOUBTS = {
  blank: "The picture is of one colour: the camera is covered or without light, or cannot be read right.",
  still: "The picture does not change: nothing moves there, or it cannot be read right.",
};

async function refresh() {
  let status;
  try {
    status = await (await fetch("status.json")).json();
  } catch {
    element("state").textContent = "stopped";
    return;
  }
  element("source").textContent = status.source;
  element("state").textContent = status.state;
  element("names").textContent = status.names.join(", ");
  element("error").textContent = status.last_error || (DOUBTS[status.doubt] ?? "");
  figures.forEach(([, format], i) => (cells[i].textContent = format(status)));
  setTimeout(refresh, 500);
}
refresh();
