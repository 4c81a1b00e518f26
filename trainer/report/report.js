"use strict";
// Sorts the rows within each body of a table by the column clicked; headings stay first, means last.
for (const table of document.querySelectorAll("main table[id]")) {
  table.querySelectorAll("thead th").forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const sign = heading.getAttribute("aria-sort") === "descending" ? 1 : -1;
      table.querySelectorAll("thead th").forEach((other) => other.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
      const isText = heading.classList.contains("text");
      const key = (row) => {
        const cell = row.cells[column];
        return isText ? cell.textContent : Number(cell.dataset.sort ?? NaN);
      };
      const compare = (a, b) => {
        const x = key(a), y = key(b);
        if (isText) return -sign * x.localeCompare(y);
        if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y);
        return sign * (x - y);
      };
      for (const body of table.tBodies) {
        const rows = [...body.rows];
        const has = (name) => rows.filter((row) => row.classList.contains(name));
        body.append(...has("group"), ...rows.filter((row) => !row.className).sort(compare), ...has("total"));
      }
    });
  });
}
// A curve is told from the others by pointing at its entry in the legend.
for (const chart of document.querySelectorAll("svg.chart")) {
  if (!chart.querySelector(".curve")) continue;
  for (const entry of chart.querySelectorAll(".entry")) {
    entry.addEventListener("pointerenter", () => {
      chart.classList.add("lit");
      for (const group of chart.querySelectorAll("[data-series]")) {
        group.classList.toggle("on", group.dataset.series === entry.dataset.series);
      }
    });
    entry.addEventListener("pointerleave", () => chart.classList.remove("lit"));
  }
}
