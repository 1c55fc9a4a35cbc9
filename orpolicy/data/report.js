"use strict";
(() => {
  const all = (query, from = document) => [...from.querySelectorAll(query)];

  /* Tables: a button in every heading that can be sorted by. */
  const unitsOf = (table) =>
    table.classList.contains("grouped") ? [...table.tBodies] : [...table.tBodies[0].rows];
  const keyOf = (unit, column, kind) => {
    const cell = (unit.rows ? unit.rows[0] : unit).cells[column];
    if (kind === "text") return cell.textContent.trim().toLowerCase();
    return cell.dataset.value === undefined ? null : Number(cell.dataset.value);
  };
  const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

  const sortBy = (table, heading, column) => {
    const kind = heading.dataset.sort;
    const first = kind === "number" ? "descending" : "ascending";
    const other = kind === "number" ? "ascending" : "descending";
    const order = heading.getAttribute("aria-sort") === first ? other : first;
    for (const each of all("thead th", table)) each.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", order);
    const sign = order === "ascending" ? 1 : -1;
    const keyed = unitsOf(table).map((unit) => [keyOf(unit, column, kind), unit]);
    keyed.sort(([a], [b]) => {
      if (a === null || b === null) return (a === null) - (b === null);
      return sign * compare(a, b);
    });
    for (const [, unit] of keyed) unit.parentNode.append(unit);
  };

  for (const table of all("table.sortable")) {
    all("thead th", table).forEach((heading, column) => {
      if (!heading.dataset.sort) return;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...heading.childNodes);
      button.addEventListener("click", () => sortBy(table, heading, column));
      heading.append(button);
    });
  }

  /* Findings: filters. */
  const controls = document.querySelector(".controls");
  const findings = all("tbody.finding");
  if (controls) {
    const fields = all("select", controls);
    const search = document.getElementById("search");
    const shown = document.getElementById("shown");
    const dollars = new Intl.NumberFormat("en-US", {
      style: "currency", currency: "USD", maximumFractionDigits: 0,
    });
    const words = new Map(findings.map((each) => [each, each.textContent.toLowerCase()]));
    const filter = () => {
      const wanted = search.value.trim().toLowerCase();
      let count = 0;
      let net = 0;
      for (const each of findings) {
        const fits =
          fields.every((field) => !field.value || each.dataset[field.id] === field.value) &&
          words.get(each).includes(wanted);
        each.hidden = !fits;
        if (fits) {
          count += 1;
          net += Number(each.dataset.net || 0);
        }
      }
      shown.textContent = `${count} of ${findings.length} shown, ${dollars.format(net)} net a month`;
    };
    controls.addEventListener("input", filter);
    controls.hidden = false;
    filter();
  }

  /* A link to a finding opens it, even where a filter hides it. */
  const reveal = () => {
    const target = document.getElementById(location.hash.slice(1));
    if (!target || !target.classList.contains("finding")) return;
    target.hidden = false;
    for (const each of all("details", target)) each.open = true;
    target.scrollIntoView();
  };
  window.addEventListener("hashchange", reveal);
  reveal();

  /* Paper shows every finding's details, and closes again what was closed. */
  let opened = [];
  window.addEventListener("beforeprint", () => {
    opened = all(".finding details").filter((each) => !each.open);
    for (const each of opened) each.open = true;
  });
  window.addEventListener("afterprint", () => {
    for (const each of opened) each.open = false;
    opened = [];
  });
})();
