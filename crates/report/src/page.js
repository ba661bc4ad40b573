"use strict";
const data = JSON.parse(document.getElementById("voltide-data").textContent);
const quoted = (value) => {
  const words = value === null ? "" : String(value);
  return /[",\n]/.test(words) ? `"${words.replaceAll('"', '""')}"` : words;
};
const valuesOf = (column) => column.values ?? data.times[column.times];
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
