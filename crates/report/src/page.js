"use strict";
const data = JSON.parse(document.getElementById("voltide-data").textContent);
const quoted = (value) => {
  const words = value === null ? "" : String(value);
  return /[",\n]/.test(words) ? `"${words.replaceAll('"', '""')}"` : words;
};
const valuesOf = (column) => column.values ?? data.times[column.times].local;
const csv = (columns) => {
  const rows = columns.length ? valuesOf(columns[0]).map((_, row) => columns.map((it) => quoted(valuesOf(it)[row]))) : [];
  return [columns.map((it) => quoted(it.name)), ...rows].map((row) => row.join(",")).join("\n");
};
for (const button of document.querySelectorAll("button[data-chart]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const chart = data.charts.find((it) => it.id === button.dataset.chart);
    try {
      await navigator.clipboard.writeText(csv(chart.columns));
      button.textContent = "Copied";
    } catch {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([csv(chart.columns)], { type: "text/csv" }));
      link.download = `${chart.id}.csv`;
      link.click();
    }
  });
}

// Time series can be zoomed and read; what is printed stays the drawing.
const colour = (property) => getComputedStyle(document.documentElement).getPropertyValue(property);
const axis = () => ({
  stroke: colour("--muted"),
  grid: { stroke: colour("--grid"), width: 1 },
  ticks: { stroke: colour("--grid"), width: 1 },
});
const zoneOf = (chart) => data.times[chart.columns[0].times].zone;
const told = (second, chart) => {
  const at = new Date(second * 1e3);
  const timeZone = zoneOf(chart);
  const clock = at.toLocaleTimeString("en-GB", { timeZone, hour: "2-digit", minute: "2-digit" });
  const day = at.toLocaleDateString("en-GB", { timeZone, weekday: "short", day: "numeric", month: "short" });
  return clock === "00:00" ? day : clock;
};
const shown = (chart, width) => ({
  width,
  height: Math.max(220, Math.min(320, width * 0.34)),
  cursor: { sync: { key: "time" } },
  tzDate: (second) => uPlot.tzDate(new Date(second * 1e3), zoneOf(chart)),
  axes: [{ ...axis(), values: (_, seconds) => seconds.map((it) => told(it, chart)) }, { ...axis(), label: chart.unit, size: 60 }],
  series: [
    { label: "", value: (_, second) => (second === null ? "" : `${told(second, chart)}`) },
    ...chart.lines.map((line, at) => ({
      label: chart.columns[at + 1].name,
      stroke: colour(line.colour),
      width: 1.5,
      dash: line.dashed ? [6, 4] : undefined,
      paths: uPlot.paths.stepped({ align: 1 }),
      points: { show: false },
    })),
  ],
});
const starts = (times) => times.local.map((_, slot) => times.start_s + slot * times.step_s);
const plots = [];
for (const place of document.querySelectorAll("[data-series]")) {
  const chart = data.charts.find((it) => it.id === place.dataset.series);
  if (!chart.lines.length) continue;
  const columns = [starts(data.times[chart.columns[0].times]), ...chart.columns.slice(1).map((it) => it.values)];
  const live = document.createElement("div");
  live.className = "live";
  place.before(live);
  place.classList.add("printed");
  plots.push([live, chart, columns, null]);
}
const draw = () => {
  for (const plot of plots) {
    plot[3]?.destroy();
    plot[3] = new uPlot(shown(plot[1], plot[0].clientWidth), plot[2], plot[0]);
  }
};
let waiting;
const redraw = () => {
  clearTimeout(waiting);
  waiting = setTimeout(draw, 100);
};
draw();
addEventListener("resize", redraw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
